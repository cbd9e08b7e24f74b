import type { Loaded } from '../cache/cached-value.ts';
import type { CachedOptions } from '../config/cached-options.ts';
import { describeValue } from '../config/redact.ts';
import type { Floor } from '../consistency/floor.ts';
import { ConfigError } from '../errors/errors.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { toError } from '../resilience/to-error.ts';
import type { TableRef } from '../sql/tables.ts';
import { cacheOf } from './cache-of.ts';
import type { Services } from './services.ts';

/** A value for the cache, as a handle knows it. */
export interface HandleRead<T> {
  readonly key: string;
  readonly what: string;
  /** Tables whose writes make it old, with the names that the cache has for them. */
  readonly tables: readonly string[];
  readonly floor: Floor;
  readonly deadline: Deadline;
  /** Refuses what may not be cached, if that has to be looked up first. */
  readonly check: (() => Promise<void>) | undefined;
  readonly isNothing: (value: T) => boolean;
  readonly load: (floor: Floor, deadline: Deadline) => Promise<Loaded<T>>;
}

/** Reads through the cache, counts it as running, and turns a failure into the error that the caller sees. */
export async function cachedRead<T>(
  services: Services,
  { ttlMs, negativeTtlMs, staleMs, tags = [] }: CachedOptions,
  read: HandleRead<T>,
): Promise<T> {
  const cache = cacheOf(services);
  const { cache: defaults } = services.config;
  const longestMs = ttlMs ?? defaults?.ttlMs ?? 0;
  const { key, what, tables, floor, deadline, check, isNothing, load } = read;
  services.running.begin();
  try {
    if (check !== undefined) await check();
    return await cache.read({
      key,
      what,
      tables,
      floor,
      deadline,
      isNothing,
      load,
      tags: tags.length < 2 ? tags : [...new Set(tags)].sort(),
      ttlMs: longestMs,
      staleMs: staleMs ?? defaults?.staleMs ?? 0,
      negativeTtlMs: Math.min(negativeTtlMs ?? defaults?.negativeTtlMs ?? longestMs, longestMs),
    });
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    const { timeoutMs, signal } = deadline;
    throw toError(error.failure, { operation: 'read', timeoutMs, abortReason: signal?.reason });
  } finally {
    services.running.end();
  }
}

/** The names of tables that values may follow. @throws {ConfigError} unless each of them is in the configuration of the cache. */
export function followed(services: Pick<Services, 'cache'>, tables: readonly TableRef[]): readonly string[] {
  const { tables: tags } = cacheOf(services);
  const unfollowed = tags.unfollowed(tables);
  if (unfollowed === undefined) return tags.of(tables);
  const rule = 'may name tables of `cache.tables` only: writes to others would not be noticed';
  throw new ConfigError([{ path: 'tables', rule, received: describeValue(unfollowed) }]);
}
