import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Gate, Products } from './products.ts';

describe.each(labVendors)('a cached value that is loaded again while it is served, on %s', (vendor) => {
  let lab: Lab;
  let products: Products;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: true });
    products = await Products.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const counts = (db: Cluster) => db.status().cache ?? { fills: 0, loads: 0, misses: 0, servedStale: 0 };
  const filled = (db: Cluster, fills: number) => eventually('it is stored', () => counts(db).fills === fills);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  /** A value of its own, the loads of which give what `next` does. */
  const valueMadeBy = async (next: () => Promise<number>, options: object) => {
    const key = products.keyOf(await products.add());
    return { key, read: (db: Cluster) => db.cache.read(key, next, options) };
  };

  test('is served when it has expired, and by one load in all processes', async () => {
    const [db, other] = [await products.open(), await products.open()];
    const gate = new Gate();
    let loads = 0;
    const { read } = await valueMadeBy(
      async () => {
        loads += 1;
        if (loads > 1) await gate.pass();
        return loads;
      },
      { ttlMs: 100, staleMs: 60_000 },
    );
    expect(await read(db)).toBe(1);
    await filled(db, 1);
    await pause(120);
    for (const cluster of [db, other, db, other, db]) expect(await read(cluster)).toBe(1);
    expect(counts(db).servedStale + counts(other).servedStale).toBe(5);
    await gate.reached;
    gate.open();
    await eventually('both have the new one', async () => (await read(db)) >= 2 && (await read(other)) >= 2);
    expect(counts(db).misses + counts(other).misses).toBe(1);
  });

  test('is not served when it was invalidated', async () => {
    const db = await products.open();
    let loads = 0;
    const { key, read } = await valueMadeBy(async () => ++loads, { ttlMs: 100, staleMs: 60_000 });
    await read(db);
    await filled(db, 1);
    await pause(120);
    await db.cache.invalidate({ keys: [key] });
    expect(await read(db)).toBe(2);
    expect(counts(db).servedStale).toBe(0);
  });

  test('is not served when a tag of it was invalidated, and not while that is announced', async () => {
    const db = await products.open();
    const id = await products.add();
    const read = () =>
      db
        .replica()
        .cached({ key: products.keyOf(id), tags: [products.tagOf(id)], ttlMs: 100, staleMs: 60_000 })
        .value<number>('SELECT n FROM products WHERE id = ?', [id]);
    expect(await read()).toBe(1);
    await filled(db, 1);
    await pause(120);
    await db.transaction(async (tx) => {
      tx.invalidates({ tags: [products.tagOf(id)] });
      await tx.execute('UPDATE products SET n = 2 WHERE id = ?', [id]);
    });
    expect(await read()).toBe(2);
    expect(counts(db).servedStale).toBe(0);
  });

  test('is not served to a session that has seen more', async () => {
    const db = await products.open();
    const id = await products.add();
    const read = () =>
      db
        .replica()
        .cached({ key: products.keyOf(id), ttlMs: 100, staleMs: 60_000 })
        .value<number>('SELECT n FROM products WHERE id = ?', [id]);
    expect(await read()).toBe(1);
    await filled(db, 1);
    await pause(120);
    await db.session(async () => {
      await products.write(db, id, 2);
      expect(await read()).toBe(2);
    });
    expect(counts(db).servedStale).toBe(0);
  });

  test('stays when it cannot be loaded, until it has been stale for too long', async () => {
    const db = await products.open();
    let loads = 0;
    const load = async (): Promise<number> => {
      loads += 1;
      if (loads > 1) throw new Error('the database is away');
      return 1;
    };
    const { read } = await valueMadeBy(load, { ttlMs: 100, staleMs: 600 });
    await read(db);
    await filled(db, 1);
    await pause(120);
    expect(await read(db)).toBe(1);
    await eventually('it was tried', () => db.status().cache?.failedRefreshes === 1);
    expect(await read(db)).toBe(1);
    await pause(700);
    await expect(read(db)).rejects.toThrow('the database is away');
  });

  test('does not wait for its end, where a load takes long', async () => {
    const db = await products.open({ cache: { earlyRefresh: 10 } });
    const load = async (): Promise<Date> => {
      await pause(100);
      return new Date();
    };
    const key = products.keyOf(await products.add());
    const read = () => db.cache.read(key, load, { ttlMs: 2_000 });
    await read();
    await eventually('it was loaded again before it expired', async () => {
      await read();
      return (db.status().cache?.refreshedEarly ?? 0) > 0;
    });
    expect(db.status().cache).toMatchObject({ misses: 1, servedStale: 0 });
  });

  test('expires first, where that was asked for', async () => {
    const db = await products.open({ cache: { earlyRefresh: 0 } });
    const load = async (): Promise<number> => {
      await pause(100);
      return 1;
    };
    const { read } = await valueMadeBy(load, { ttlMs: 300 });
    await eventually('it was loaded three times', async () => {
      await read(db);
      return counts(db).loads === 3;
    });
    expect(db.status().cache).toMatchObject({ misses: 3, refreshedEarly: 0 });
  });
});
