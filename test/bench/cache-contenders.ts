import { createCache } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { Cacheable, Keyv } from 'cacheable';
import type { Redis } from 'ioredis';
import { Packr } from 'msgpackr';
import { createCluster } from 'vipsql';
import type { LabClusterConfig } from 'vipsql/testing';

/** Where the bench's servers are, and a Redis client with default options. */
export interface BenchTarget {
  readonly config: LabClusterConfig;
  readonly redisUrl: string;
  readonly redis: Redis;
  /** The rows of a shelf, as the database gives them. */
  readonly load: (shelf: number) => Promise<readonly Row[]>;
}

export interface Row {
  readonly id: number;
  readonly sku: string;
  readonly name: string;
  readonly price: string;
  readonly madeAt: Date;
  readonly note: string;
}

/** One way of reading the rows of a shelf from Redis, all of which are there. */
export interface Contender {
  read(shelf: number): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

export type CreateContender = (target: BenchTarget, shelves: number) => Promise<Contender>;

export const statement = 'SELECT id, sku, name, price, made_at AS madeAt, note FROM product WHERE shelf = ?';

const ttlMs = 3_600_000;

const closed = async (): Promise<void> => {};

/** What no cache can do without: one `GET`, and the bytes made into rows. */
const rawBytes: CreateContender = async ({ redis, load }, shelves) => {
  const packr = new Packr({ useRecords: true, copyBuffers: true });
  for (let shelf = 0; shelf < shelves; shelf += 1)
    await redis.set(`raw:${shelf}`, packr.pack(await load(shelf)));
  return {
    read: async (shelf) => packr.unpack((await redis.getBuffer(`raw:${shelf}`)) as Buffer) as Row[],
    close: closed,
  };
};

/** The same as text; Dates come back as texts. */
const rawJson: CreateContender = async ({ redis, load }, shelves) => {
  for (let shelf = 0; shelf < shelves; shelf += 1)
    await redis.set(`json:${shelf}`, JSON.stringify(await load(shelf)));
  return {
    read: async (shelf) => JSON.parse((await redis.get(`json:${shelf}`)) as string) as Row[],
    close: closed,
  };
};

/** With one layer: Redis, as vipsql without `l1`, or the memory of this process. */
function bento(layer: 'redis' | 'memory'): CreateContender {
  return async ({ redis, load }, shelves) => {
    const store =
      layer === 'redis'
        ? bentostore().useL2Layer(redisDriver({ connection: redis }))
        : bentostore().useL1Layer(memoryDriver());
    const cache = new BentoCache({ default: 'store', stores: { store } });
    const read = (shelf: number): Promise<readonly Row[]> =>
      cache.getOrSet({ key: `shelf:${shelf}`, ttl: ttlMs, factory: async () => [...(await load(shelf))] });
    for (let shelf = 0; shelf < shelves; shelf += 1) await read(shelf);
    return { read, close: closed };
  };
}

/** With one layer: Redis, through the least that its Keyv takes for a store, or the memory of this process. */
function cacheable(layer: 'redis' | 'memory'): CreateContender {
  return async ({ redis, load }, shelves) => {
    const store = {
      opts: {},
      get: async (key: string) => (await redis.get(key)) ?? undefined,
      set: (key: string, value: string, ttl = ttlMs) => redis.set(key, value, 'PX', ttl),
      delete: async (key: string) => (await redis.del(key)) > 0,
      clear: closed,
    };
    const cache = new Cacheable({ ttl: ttlMs, ...(layer === 'redis' && { primary: new Keyv({ store }) }) });
    const read = async (shelf: number): Promise<readonly Row[]> =>
      (await cache.getOrSet(`shelf:${shelf}`, () => load(shelf))) ?? [];
    for (let shelf = 0; shelf < shelves; shelf += 1) await read(shelf);
    return { read, close: closed };
  };
}

const dedupe: CreateContender = async ({ redis, load }, shelves) => {
  const storage = { type: 'redis', options: { client: redis } } as const;
  const cache = createCache({ ttl: ttlMs / 1_000, storage }).define('shelf', (shelf: number) => load(shelf));
  for (let shelf = 0; shelf < shelves; shelf += 1) await cache.shelf(shelf);
  return { read: (shelf) => cache.shelf(shelf), close: closed };
};

type Shape = 'key' | 'no key' | 'one tag' | 'three tags' | 'l1';

function vipsql(shape: Shape): CreateContender {
  return async ({ config, redisUrl }, shelves) => {
    const db = createCluster({
      ...config,
      // A budget that no stall of a busy machine overruns: a bench of hits has no misses.
      cache: {
        redis: redisUrl,
        ...(shape === 'l1' ? { l1: { copyMs: 500 } } : {}),
        ttlMs,
        namespace: shape.replaceAll(' ', '-'),
        readBudgetMs: 2_000,
      },
    });
    await db.ready();
    while (db.status().cache?.state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
    const keyless = db.replica<Row>().cached();
    const tagsOf = (shelf: number): string[] =>
      shape === 'one tag'
        ? [`shelf:${shelf}`]
        : shape === 'three tags'
          ? [`shelf:${shelf}`, 'all', 'products']
          : [];
    const read = (shelf: number): Promise<readonly unknown[]> =>
      shape === 'no key'
        ? keyless.query(statement, [shelf])
        : db
            .replica<Row>()
            .cached({ key: `shelf:${shelf}`, tags: tagsOf(shelf) })
            .query(statement, [shelf]);
    for (let shelf = 0; shelf < shelves; shelf += 1) await read(shelf);
    const loads = db.status().cache?.loads;
    return {
      read,
      close: async () => {
        const status = db.status().cache;
        if (status?.loads !== loads) throw new Error(`not only hits: ${JSON.stringify(status)}`);
        await db.close();
      },
    };
  };
}

/** Every contender by its name; the first two are what the others are measured against. */
export const contenders: Readonly<Record<string, CreateContender>> = {
  'ioredis getBuffer + msgpackr': rawBytes,
  'ioredis get + JSON.parse': rawJson,
  'vipsql, key': vipsql('key'),
  'vipsql, no key': vipsql('no key'),
  'vipsql, one tag': vipsql('one tag'),
  'vipsql, three tags': vipsql('three tags'),
  'vipsql, l1': vipsql('l1'),
  bentocache: bento('redis'),
  cacheable: cacheable('redis'),
  'async-cache-dedupe': dedupe,
  'bentocache, in memory': bento('memory'),
  'cacheable, in memory': cacheable('memory'),
};
