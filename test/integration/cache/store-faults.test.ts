import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CacheInvalidationError, type Cluster, createCluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, rejection } from '../../support/cluster.ts';
import { Gate, Products } from './products.ts';

let lab: Lab;
let products: Products;
let redis: Redis;

beforeAll(async () => {
  lab = await startLab({ replicas: 2, redis: true });
  products = await Products.create(lab);
  redis = new Redis(lab.redisUrl ?? '');
  redis.on('error', () => {});
});
afterEach(() => lab.heal());
afterAll(async () => {
  redis?.disconnect();
  await lab?.stop();
});

const isReady = (db: Cluster): boolean => db.status().cache?.state === 'ready';

const raise = (db: Cluster, id: number, n: number) =>
  db.primary().execute('UPDATE products SET n = ? WHERE id = ?', [n, id], {
    invalidates: { keys: [products.keyOf(id)] },
  });

describe('a process that has just begun', () => {
  test('has its first invalidations delivered, and its first writes announced', async () => {
    const service = await products.open();
    const id = await products.add();
    await products.read(service, id);
    await eventually('it is stored', () => service.status().cache?.fills === 1);
    await products.write(service, id, 2);
    const redis = lab.redisUrl ?? '';
    await using job = createCluster({ ...lab.config(), cache: { redis, onInvalidationFailure: 'throw' } });
    expect(await job.cache.invalidate({ keys: [products.keyOf(id)] })).toEqual({ delivered: true });
    expect(await products.read(service, id)).toBe(2);
    await using other = createCluster({ ...lab.config(), cache: { redis, onInvalidationFailure: 'throw' } });
    await raise(other, id, 3);
    expect(await products.read(service, id)).toBe(3);
  });

  test('does not wait for long where there is no Redis', async () => {
    await using db = createCluster({ ...lab.config(), cache: { redis: 'redis://127.0.0.1:601' } });
    const beganAt = performance.now();
    expect(await db.cache.invalidate({ keys: ['any'] })).toEqual({ delivered: false });
    expect(performance.now() - beganAt).toBeLessThan(2_000);
  });
});

describe('while Redis is frozen', () => {
  test('reads cost milliseconds and no error, and it is used again by itself', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    const [away, back] = [recordEvents(db, 'cache:away'), recordEvents(db, 'cache:back')];
    await lab.fault({ kind: 'freeze', server: 'redis' });
    const tookMs: number[] = [];
    for (let read = 0; read < 100; read += 1) {
      const startedAt = performance.now();
      expect(await products.read(db, id)).toBe(1);
      tookMs.push(performance.now() - startedAt);
    }
    // The first ones wait their budget of 50 ms; then nobody asks Redis any more.
    expect(tookMs.filter((ms) => ms > 45).length).toBeLessThan(20);
    expect(away).toHaveLength(1);
    expect(isReady(db)).toBe(false);
    await lab.fault({ kind: 'thaw', server: 'redis' });
    await eventually('the cache is used again', () => isReady(db));
    expect(back).toHaveLength(1);
    const { hits = 0 } = db.status().cache ?? {};
    expect(await products.read(db, id)).toBe(1);
    expect(db.status().cache?.hits).toBe(hits + 1);
  });

  test('the database is asked by a few at a time', async () => {
    const db = await products.open({ cache: { maxBypass: 2 } });
    const id = await products.add();
    await lab.fault({ kind: 'kill', server: 'redis' });
    await eventually('it is away', () => !isReady(db));
    let [inside, most] = [0, 0];
    const load = async (): Promise<number> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
      return 1;
    };
    await Promise.all(Array.from({ length: 30 }, () => db.cache.read(products.keyOf(id), load)));
    expect(most).toBe(2);
  });

  test('a write goes through, its invalidation is reported, and delivered as soon as that can be', async () => {
    const [db, other] = [await products.open(), await products.open()];
    const id = await products.add();
    expect([await products.read(db, id), await products.read(other, id)]).toEqual([1, 1]);
    const failed = recordEvents(db, 'cache:invalidation-failed');
    await lab.fault({ kind: 'freeze', server: 'redis' });
    const { affectedRows } = await raise(db, id, 2);
    expect(affectedRows).toBe(1);
    expect(failed).toMatchObject([{ keys: [products.keyOf(id)], tags: [], isRetried: true }]);
    expect(db.status().cache).toMatchObject({ quarantined: 1, failedInvalidations: 1 });
    await lab.fault({ kind: 'thaw', server: 'redis' });
    expect(await products.read(db, id)).toBe(2);
    await eventually('it is delivered', () => db.status().cache?.quarantined === 0);
    expect([await products.read(db, id), await products.read(other, id)]).toEqual([2, 2]);
  });

  test('an invalidation by itself says that it was not delivered', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    await products.write(db, id, 2);
    await lab.fault({ kind: 'freeze', server: 'redis' });
    expect(await db.cache.invalidate({ keys: [products.keyOf(id)] })).toEqual({ delivered: false });
    await lab.fault({ kind: 'thaw', server: 'redis' });
    expect(await products.read(db, id)).toBe(2);
  });

  test("with onInvalidationFailure: 'throw' nothing is committed", async () => {
    const db = await products.open({ cache: { onInvalidationFailure: 'throw', writeBudgetMs: 100 } });
    const id = await products.add();
    await lab.fault({ kind: 'freeze', server: 'redis' });
    const single = await rejection(raise(db, id, 2));
    expect(single).toBeInstanceOf(CacheInvalidationError);
    expect(single).toMatchObject({ outcome: 'not-executed', code: 'VIPSQL_CACHE_INVALIDATION' });
    const whole = await rejection(
      db.transaction(async (tx) => {
        tx.invalidates({ tags: [products.tagOf(id)] });
        await tx.execute('UPDATE products SET n = 3 WHERE id = ?', [id]);
      }),
    );
    expect(whole).toBeInstanceOf(CacheInvalidationError);
    expect(await rejection(db.cache.invalidate({ keys: ['x'] }))).toBeInstanceOf(CacheInvalidationError);
    expect(await db.primary().value('SELECT n FROM products WHERE id = ?', [id])).toBe(1);
  });
});

describe('when Redis loses what it had', () => {
  test('a restart leaves every value unknown', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    await lab.fault({ kind: 'kill', server: 'redis' });
    await eventually('it is away', () => !isReady(db));
    expect(await products.read(db, id)).toBe(1);
    await products.write(db, id, 2);
    expect(await db.cache.invalidate({ keys: [products.keyOf(id)] })).toEqual({ delivered: false });
    await lab.fault({ kind: 'start', server: 'redis' });
    await eventually('it is back', () => isReady(db));
    expect(await products.read(db, id)).toBe(2);
    await eventually('nothing is left to deliver', () => db.status().cache?.quarantined === 0);
  });

  test('a value that comes back with another run_id is not served', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    await eventually('it is stored', () => db.status().cache?.fills === 1);
    const keys = await redis.keys(`*:product:${id}`);
    const saved = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
    await lab.fault({ kind: 'kill', server: 'redis' });
    await eventually('it is away', () => !isReady(db));
    await lab.fault({ kind: 'start', server: 'redis' });
    await products.write(db, id, 2);
    await eventually('it is back', () => isReady(db));
    // As a replica that is promoted would have it, without the invalidation.
    await Promise.all(
      keys.map((key, index) => redis.call('RESTORE', key, 60_000, saved[index] as Buffer, 'REPLACE')),
    );
    await eventually('no replica is behind', async () => {
      const read = await db.replica().value('SELECT n FROM products WHERE id = ?', [id]);
      return read === 2;
    });
    expect(await products.read(db, id)).toBe(2);
    expect(db.status().cache?.hits).toBe(0);
  });

  test('FLUSHALL during a load keeps that from being stored', async () => {
    const db = await products.open();
    const id = await products.add();
    const gate = new Gate();
    const early = db.cache.read(products.keyOf(id), async (source) => {
      const n = await source.replica().value<number>('SELECT n FROM products WHERE id = ?', [id]);
      await gate.pass();
      return n;
    });
    await gate.reached;
    await raise(db, id, 2);
    await redis.flushall();
    gate.open();
    expect(await early).toBe(1);
    await eventually('it was turned away', () => db.status().cache?.rejectedFills.invalidated === 1);
    expect(await products.read(db, id)).toBe(2);
  });

  test('an evicted tag makes its values worthless', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    await eventually('it is stored', () => db.status().cache?.fills === 1);
    expect(await products.read(db, id)).toBe(1);
    await products.write(db, id, 2);
    expect(await db.cache.invalidate({ tags: [products.tagOf(id)] })).toEqual({ delivered: true });
    await redis.del(...(await redis.keys('*:t:shelf:*')));
    expect(await products.read(db, id)).toBe(2);
    expect(db.status().cache?.hits).toBe(1);
  });

  test('a Redis without room is no error to anybody', async () => {
    const db = await products.open();
    const id = await products.add();
    await redis.config('SET', 'maxmemory', '1');
    try {
      for (let n = 1; n < 6; n += 1) {
        expect(await products.read(db, id)).toBe(n);
        await raise(db, id, n + 1);
      }
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect(await products.read(db, id)).toBe(6);
    expect(isReady(db)).toBe(true);
  });

  test('what another version or a madman has written is a miss', async () => {
    const db = await products.open();
    const id = await products.add();
    const name = `vipsql:main:e:${products.keyOf(id)}`;
    for (const junk of ['', 'junk', '1\n2\n3', '9\na\nb\n\n\n\n0\n']) {
      await redis.set(name, junk);
      expect(await products.read(db, id)).toBe(1);
    }
    await redis.del(name);
    await redis.lpush(name, 'no text');
    expect(await products.read(db, id)).toBe(1);
    await redis.del(name);
  });

  test('a damaged payload is a miss, and is replaced', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    await eventually('it is stored', () => db.status().cache?.fills === 1);
    const name = `vipsql:main:e:${products.keyOf(id)}`;
    const length = await redis.strlen(name);
    await redis.setrange(name, length - 4, '\xff\xff\xff\xff');
    expect(await products.read(db, id)).toBe(1);
    expect(db.status().cache).toMatchObject({ corrupt: 1, hits: 0 });
    await eventually('it is stored again', () => db.status().cache?.fills === 2);
    expect(await products.read(db, id)).toBe(1);
    expect(db.status().cache).toMatchObject({ corrupt: 1, hits: 1 });
  });
});
