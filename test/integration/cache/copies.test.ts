import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Products } from './products.ts';

describe.each(labVendors)('copies of cached values in a process, on %s', (vendor) => {
  let lab: Lab;
  let products: Products;
  let redis: Redis;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: true });
    redis = new Redis(lab.redisUrl ?? '');
    products = await Products.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(async () => {
    redis?.disconnect();
    await lab?.stop();
  });

  const open = (l1: object) => products.open({ cache: { l1 } });
  const copyHits = (db: Cluster) => db.status().cache?.copyHits ?? 0;

  /** A product of which `db` serves a copy. */
  const copied = async (db: Cluster): Promise<number> => {
    const id = await products.add();
    const before = copyHits(db);
    await eventually('a copy is served', async () => {
      expect(await products.read(db, id)).toBe(1);
      return copyHits(db) > before;
    });
    return id;
  };

  test('are served without a question to Redis, and to each caller as rows of its own', async () => {
    const db = await open({ copyMs: 500 });
    const id = await copied(db);
    const { bytesRead } = db.status().cache ?? {};
    const select = 'SELECT id, n FROM products WHERE id = ?';
    const first = await products.cached(db, id).one(select, [id]);
    Object.assign(first, { n: 99 });
    expect(await products.cached(db, id).one(select, [id])).toEqual({ id, n: 1 });
    expect(db.status().cache).toMatchObject({ bytesRead, copies: 1 });
    expect(db.status().cache?.copyBytes).toBeGreaterThan(0);
  });

  test.each(['key', 'tag'])('are over when an invalidation of their %s is', async (target) => {
    const [db, other] = [await open({ copyMs: 500 }), await products.open()];
    for (const writer of [other, db, other]) {
      const id = await copied(db);
      const invalidates = target === 'key' ? { keys: [products.keyOf(id)] } : { tags: [products.tagOf(id)] };
      await writer.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], { invalidates });
      expect(await products.read(db, id)).toBe(2);
    }
  });

  test('are over after an invalidation by itself, and after one of a transaction', async () => {
    const [db, other] = [await open({ copyMs: 500 }), await products.open()];
    const id = await copied(db);
    await products.write(other, id, 2);
    expect(await other.cache.invalidate({ keys: [products.keyOf(id)] })).toEqual({ delivered: true });
    expect(await products.read(db, id)).toBe(2);
    await products.read(db, id);
    await other.transaction(async (tx) => {
      tx.invalidates({ keys: [products.keyOf(id)] });
      await tx.execute('UPDATE products SET n = 3 WHERE id = ?', [id]);
    });
    expect(await products.read(db, id)).toBe(3);
  });

  test('are waited for also when Redis has forgotten that there are any', async () => {
    const [db, other] = [await open({ copyMs: 500 }), await products.open()];
    const id = await copied(db);
    await redis.flushall();
    await other.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
      invalidates: { keys: [products.keyOf(id)] },
    });
    expect(await products.read(db, id)).toBe(2);
  });

  test('are not served to a session that has seen more', async () => {
    const db = await open({ copyMs: 500 });
    const id = await copied(db);
    await db.session(async () => {
      await products.write(db, id, 2);
      expect(await products.read(db, id)).toBe(2);
    });
  });

  test('are dropped when an invalidation of this process cannot be delivered', async () => {
    const db = await open({ copyMs: 500 });
    const id = await copied(db);
    await lab.fault({ kind: 'freeze', server: 'redis' });
    await db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
      invalidates: { keys: [products.keyOf(id)] },
    });
    expect(await products.read(db, id)).toBe(2);
    expect(db.status().cache?.copies).toBe(0);
  });

  test('are not kept by who has not asked for it', async () => {
    const db = await products.open();
    const id = await products.add();
    for (let read = 0; read < 5; read += 1) await products.read(db, id);
    expect(db.status().cache).toMatchObject({ copyHits: 0, copies: 0 });
  });
});
