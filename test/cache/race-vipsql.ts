import { type CacheConfig, createCluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RaceCache, selectNumber } from './race.ts';

/** What vipsql may be told to invalidate. */
export const targets = ['keys', 'tags', 'tables'] as const;

/** vipsql with that store, and replicas that loads run on. */
export async function openVipsql(
  lab: Lab,
  cache: CacheConfig,
  by: (typeof targets)[number],
): Promise<RaceCache> {
  const tables = by === 'tables' ? ['raced'] : [];
  const db = createCluster({ ...lab.config(), cache: { ttlMs: 600_000, tables, ...cache } });
  await db.ready();
  await eventually('the cache is ready', () => db.status().cache?.state === 'ready');
  return {
    read: ({ id, key, tag, hold }) =>
      db.cache.read(
        key,
        async (source) => {
          const n = await source.replica().value<number>(selectNumber, [id]);
          await hold();
          return n;
        },
        { tags: [tag], tables },
      ),
    invalidate: ({ key, tag }) =>
      db.cache.invalidate({ keys: { keys: [key] }, tags: { tags: [tag] }, tables: { tables } }[by]),
    close: () => db.close(),
  };
}
