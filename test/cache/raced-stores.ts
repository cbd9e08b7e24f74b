import type { CacheConfig } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { MemcachedServer } from '../support/memcached-server.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { targets } from './race-vipsql.ts';

/** A store of vipsql's, and what is invalidated in it. */
export interface RacedStore {
  readonly store: string;
  readonly cache: CacheConfig;
  readonly by: (typeof targets)[number];
}

export interface RacedStores {
  readonly raced: readonly RacedStore[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** All that vipsql can keep values in: the lab's Redis, and servers that end with it. */
export async function racedStores(lab: Lab): Promise<RacedStores> {
  const [memcached, cluster] = await Promise.all([MemcachedServer.start(), RedisCluster.start()]);
  const stores: readonly [string, CacheConfig][] = [
    ['memory', {}],
    ['Redis', { redis: lab.redisUrl ?? '' }],
    ['memcached', { memcached: memcached.target }],
  ];
  return {
    raced: [
      ...stores.flatMap(([store, cache]) => targets.map((by) => ({ store, cache, by }))),
      { store: 'Redis Cluster', cache: { redis: cluster.target }, by: 'keys' },
    ],
    [Symbol.asyncDispose]: async () => {
      await Promise.all([memcached.stop(), cluster.stop()]);
    },
  };
}
