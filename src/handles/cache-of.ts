import type { Cache } from '../cache/cache.ts';
import { ConfigError } from '../errors/errors.ts';
import type { Services } from './services.ts';

/** The cache of the cluster. @throws {ConfigError} where none is configured. */
export function cacheOf({ cache }: Pick<Services, 'cache'>): Cache {
  if (cache !== undefined) return cache;
  throw new ConfigError([{ path: 'cache', rule: 'must be given to use the cache', received: 'nothing' }]);
}
