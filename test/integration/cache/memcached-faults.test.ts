import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { CacheInvalidationError, type Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, rejection } from '../../support/cluster.ts';
import { hasMemcached, MemcachedServer } from '../../support/memcached-server.ts';
import { Gate, Products } from './products.ts';

describe.skipIf(!hasMemcached)('a cache in memcached', () => {
  let lab: Lab;
  let products: Products;
  let server: MemcachedServer;

  beforeAll(async () => {
    lab = await startLab({ replicas: 2, redis: false });
    products = await Products.create(lab);
  });
  beforeEach(async () => {
    server = await MemcachedServer.start(['-e', '{folder}/kept']);
  });
  afterEach(async () => {
    await lab.heal();
    await server.stop();
  });
  afterAll(() => lab?.stop());

  const open = (cache: ClusterConfig['cache'] = {}, at = server): Promise<Cluster> =>
    products.open({ cache: { memcached: `${at.host}:${at.port}`, ...cache } });
  const isReady = (db: Cluster): boolean => db.status().cache?.state === 'ready';
  const isStored = (db: Cluster, fills = 1) =>
    eventually('it is stored', () => db.status().cache?.fills === fills);
  const raise = (db: Cluster, id: number, n: number) =>
    db.primary().execute('UPDATE products SET n = ? WHERE id = ?', [n, id], {
      invalidates: { keys: [products.keyOf(id)] },
    });

  test('is shared by those who have it, and invalidated for all of them', async () => {
    const [db, other] = [await open(), await open()];
    const id = await products.add();
    await products.read(db, id);
    await isStored(db);
    expect(await products.read(other, id)).toBe(1);
    expect(other.status().cache).toMatchObject({ hits: 1, loads: 0 });
    await raise(other, id, 2);
    expect([await products.read(db, id), await products.read(other, id)]).toEqual([2, 2]);
    await products.write(db, id, 3);
    expect(await db.cache.invalidate({ tags: [products.tagOf(id)] })).toEqual({ delivered: true });
    expect([await products.read(db, id), await products.read(other, id)]).toEqual([3, 3]);
  });

  test('that is frozen costs reads milliseconds and no error, and is used again by itself', async () => {
    const db = await open();
    const id = await products.add();
    await products.read(db, id);
    await isStored(db);
    const [away, back] = [recordEvents(db, 'cache:away'), recordEvents(db, 'cache:back')];
    await server.process.freeze();
    const tookMs: number[] = [];
    for (let read = 0; read < 100; read += 1) {
      const startedAt = performance.now();
      expect(await products.read(db, id)).toBe(1);
      tookMs.push(performance.now() - startedAt);
    }
    // The first ones wait their budget of 50 ms; then nobody asks memcached any more.
    expect(tookMs.filter((ms) => ms > 45).length).toBeLessThan(20);
    expect(away).toHaveLength(1);
    // Its connection is given up meanwhile.
    await sleep(2_500);
    server.process.thaw();
    await eventually('the cache is used again', () => isReady(db));
    expect(back).toHaveLength(1);
    const { hits = 0 } = db.status().cache ?? {};
    expect(await products.read(db, id)).toBe(1);
    expect(db.status().cache?.hits).toBe(hits + 1);
  });

  test('that is frozen keeps no write from going through, and its invalidation is delivered later', async () => {
    const [db, other] = [await open(), await open()];
    const id = await products.add();
    expect([await products.read(db, id), await products.read(other, id)]).toEqual([1, 1]);
    const failed = recordEvents(db, 'cache:invalidation-failed');
    await server.process.freeze();
    expect((await raise(db, id, 2)).affectedRows).toBe(1);
    expect(failed).toMatchObject([{ keys: [products.keyOf(id)], isRetried: true }]);
    server.process.thaw();
    expect(await products.read(db, id)).toBe(2);
    await eventually('it is delivered', () => db.status().cache?.quarantined === 0);
    expect([await products.read(db, id), await products.read(other, id)]).toEqual([2, 2]);
  });

  test("that is frozen keeps writes from being committed with onInvalidationFailure: 'throw'", async () => {
    const db = await open({ onInvalidationFailure: 'throw', writeBudgetMs: 100 });
    const id = await products.add();
    await server.process.freeze();
    expect(await rejection(raise(db, id, 2))).toBeInstanceOf(CacheInvalidationError);
    expect(await db.primary().value('SELECT n FROM products WHERE id = ?', [id])).toBe(1);
    server.process.thaw();
  });

  test('that is killed and started again knows no value', async () => {
    const db = await open();
    const id = await products.add();
    await products.read(db, id);
    await isStored(db);
    await server.process.kill();
    await eventually('it is away', () => !isReady(db));
    expect(await products.read(db, id)).toBe(1);
    await products.write(db, id, 2);
    expect(await db.cache.invalidate({ keys: [products.keyOf(id)] })).toEqual({ delivered: false });
    await server.start();
    await eventually('it is back', () => isReady(db));
    expect(await products.read(db, id)).toBe(2);
    await eventually('nothing is left to deliver', () => db.status().cache?.quarantined === 0);
  });

  test('does not serve what memcached has kept over a warm restart', async () => {
    const db = await open();
    const id = await products.add();
    await products.read(db, id);
    await isStored(db);
    const restarted = server.warmRestart();
    await eventually('it is away', () => !isReady(db));
    // Nobody knows that its invalidation was not delivered.
    await products.write(db, id, 2);
    await restarted;
    await eventually('it is back', () => isReady(db));
    expect(await server.stat('curr_items')).toBeGreaterThan(0);
    await eventually('no replica is behind', async () => {
      return (await db.replica().value('SELECT n FROM products WHERE id = ?', [id])) === 2;
    });
    expect(await products.read(db, id)).toBe(2);
    expect(db.status().cache?.hits).toBe(0);
  });

  test('that is flushed during a load keeps that from being stored', async () => {
    const db = await open();
    const id = await products.add();
    const gate = new Gate();
    const early = db.cache.read(products.keyOf(id), async (source) => {
      const n = await source.replica().value<number>('SELECT n FROM products WHERE id = ?', [id]);
      await gate.pass();
      return n;
    });
    await gate.reached;
    await raise(db, id, 2);
    await server.ask('flush_all\r\n');
    gate.open();
    expect(await early).toBe(1);
    await eventually('it was turned away', () => db.status().cache?.rejectedFills.invalidated === 1);
    expect(await products.read(db, id)).toBe(2);
  });

  test('without a tag knows none of its values', async () => {
    const db = await open();
    const id = await products.add();
    await products.read(db, id);
    await isStored(db);
    await products.write(db, id, 2);
    expect(await db.cache.invalidate({ tags: [products.tagOf(id)] })).toEqual({ delivered: true });
    await server.ask(`md vipsql:main:t:${products.tagOf(id)}\r\n`);
    expect(await products.read(db, id)).toBe(2);
  });

  test('with two megabytes of memory evicts, and is no error to anybody', async () => {
    const small = await MemcachedServer.start(['-m', '2']);
    const db = await open({ compressBytes: 0 }, small);
    const id = await products.add();
    try {
      for (let n = 1; n < 6; n += 1) {
        const filling = Array.from({ length: 300 }, (_, index) =>
          db.cache.read(`filler:${n}:${index}`, async () => 'x'.repeat(20_000)),
        );
        await Promise.all(filling);
        expect(await products.read(db, id)).toBe(n);
        await raise(db, id, n + 1);
      }
      expect(await products.read(db, id)).toBe(6);
      expect(isReady(db)).toBe(true);
      expect(await small.stat('evictions')).toBeGreaterThan(0);
    } finally {
      await db.close();
      await small.stop();
    }
  });

  test('does not keep what is too large for memcached, and says so', async () => {
    const db = await open({ compressBytes: 0 });
    const large = 'x'.repeat(1_048_450);
    await eventually('it was turned away many times', async () => {
      expect(await db.cache.read('large', async () => large)).toBe(large);
      return (db.status().cache?.rejectedFills['too-large'] ?? 0) > 20;
    });
    expect(db.status().cache?.rejectedFills.away).toBe(0);
    expect(isReady(db)).toBe(true);
  });

  test('takes what somebody else has written for a miss', async () => {
    const db = await open();
    const id = await products.add();
    const key = `vipsql:main:e:${products.keyOf(id)}`;
    const junks = ['', 'junk', '1\n2\n3', '9\na\nb\n\n\n\n0\n'];
    for (const [index, junk] of junks.entries()) {
      await server.ask(`ms ${key} ${junk.length}\r\n${junk}\r\n`);
      expect(await products.read(db, id)).toBe(1);
      await isStored(db, index + 1);
    }
  });
});
