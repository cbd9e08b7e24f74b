import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { createCache as createCacheManager } from 'cache-manager';
import { Cacheable } from 'cacheable';
import mysql from 'mysql2/promise';
import type { Lab } from '../../src/testing/index.ts';
import { type RaceCache, type Subject, selectNumber } from './race.ts';

const ttlMs = 600_000;

/** Loads from the primary: nothing lags there. */
type Load = (subject: Subject) => Promise<number>;

type Methods = Omit<RaceCache, 'close'>;

function bentocache(load: Load, by: 'key' | 'tag'): Methods {
  const memory = bentostore().useL1Layer(memoryDriver());
  const cache = new BentoCache({ default: 'memory', stores: { memory } });
  return {
    read: (subject) => {
      const { key, tag } = subject;
      return cache.getOrSet({ key, tags: [tag], ttl: ttlMs, factory: () => load(subject) });
    },
    invalidate: ({ key, tag }) => (by === 'key' ? cache.delete({ key }) : cache.deleteByTag({ tags: [tag] })),
  };
}

function cacheable(load: Load): Methods {
  const cache = new Cacheable();
  return {
    read: async (subject) =>
      (await cache.getOrSet(subject.key, () => load(subject), { ttl: ttlMs })) ?? Number.NaN,
    invalidate: ({ key }) => cache.delete(key),
  };
}

/** Its `getOrSet` takes no tags. */
function taggedCacheable(load: Load): Methods {
  const cache = new Cacheable({ tags: true });
  return {
    read: async (subject) => {
      const found = await cache.get<number>(subject.key);
      if (found !== undefined) return found;
      const value = await load(subject);
      await cache.set(subject.key, value, { ttl: ttlMs, tags: [subject.tag] });
      return value;
    },
    invalidate: ({ tag }) => cache.tags.invalidateTag(tag),
  };
}

function cacheManager(load: Load): Methods {
  const cache = createCacheManager();
  return {
    read: (subject) => cache.wrap(subject.key, () => load(subject), ttlMs),
    invalidate: ({ key }) => cache.del(key),
  };
}

function dedupe(load: Load, by: 'references' | 'arguments'): Methods {
  const storage = { type: 'memory', options: { invalidation: true } } as const;
  const cache = createDedupe({ ttl: ttlMs / 1_000, storage }).define(
    'number',
    {
      serialize: ({ key }: Subject) => key,
      references: ({ tag }: Subject) => [tag],
    },
    load,
  );
  return {
    read: (subject) => cache.number(subject),
    invalidate: (subject) =>
      by === 'references' ? cache.invalidateAll(subject.tag) : cache.clear('number', subject),
  };
}

/** Calls of other caches for Node by what invalidates there; all of them keep their values in memory. */
const peers: Readonly<Record<string, (load: Load) => Methods>> = {
  'bentocache `delete`': (load) => bentocache(load, 'key'),
  'bentocache `deleteByTag`': (load) => bentocache(load, 'tag'),
  'cacheable `delete`': cacheable,
  'cacheable `invalidateTag`': taggedCacheable,
  'cache-manager `del`': cacheManager,
  'async-cache-dedupe `invalidateAll`': (load) => dedupe(load, 'references'),
  'async-cache-dedupe `clear`': (load) => dedupe(load, 'arguments'),
};

export const peerNames: readonly string[] = Object.keys(peers);

export function openPeer(lab: Lab, name: string): RaceCache {
  const { user, password, database } = lab;
  const pool = mysql.createPool({ ...lab.vip, user, password, database });
  const load: Load = async ({ id, hold }) => {
    const [rows] = await pool.query<mysql.RowDataPacket[]>(selectNumber, [id]);
    await hold();
    return Number(rows[0]?.n);
  };
  const methods = peers[name]?.(load);
  if (methods === undefined) throw new Error(`no peer ${name}`);
  return { ...methods, close: () => pool.end() };
}
