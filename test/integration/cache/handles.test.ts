import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type Cluster,
  ConfigError,
  OutsideTransactionError,
  PrimaryRequiredError,
  sql,
} from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openServing, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Products } from './products.ts';

describe.each(labVendors)('cached reads on %s', (vendor) => {
  let lab: Lab;
  let products: Products;
  let db: Cluster;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: true });
    await lab.owner().query('CREATE TABLE lab.stock (n INT)');
    await lab
      .owner()
      .query(
        'CREATE TABLE lab.kinds (id INT PRIMARY KEY, big BIGINT, price DECIMAL(20,4), at DATETIME(3), day DATE, bytes BLOB, f DOUBLE, doc JSON)',
      );
    await lab
      .owner()
      .query(
        "INSERT INTO lab.kinds VALUES (1, 9223372036854775807, '1.5000', '2026-01-02 03:04:05.678', '2026-01-02', x'00ff0a', 1.5, '{\"a\": [1, null]}'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
      );
    products = await Products.create(lab);
  });
  afterAll(() => lab?.stop());

  const open = async (): Promise<Cluster> => {
    db = await products.open({ primaryOnly: ['stock'] });
    return db;
  };
  const counts = () => {
    const { hits = 0, loads = 0 } = db.status().cache ?? {};
    return { hits, loads };
  };
  /** The fill of the read before. */
  const stored = (fills: number) => eventually('it is stored', () => db.status().cache?.fills === fills);

  test('give what the database gives, types included', async () => {
    await open();
    const select = 'SELECT id, big, price, at, day, bytes, f, doc FROM kinds ORDER BY id';
    const plain = await db.replica().query(select, [], { json: ['doc'] });
    const handle = db.replica().cached();
    const loaded = await handle.query(select, [], { json: ['doc'] });
    await stored(1);
    const cached = await handle.query(select, [], { json: ['doc'] });
    expect(loaded).toStrictEqual(plain);
    expect(cached).toStrictEqual(plain);
    expect(counts()).toEqual({ hits: 1, loads: 1 });
  });

  test('tell statements and values apart that may differ in their answer', async () => {
    await open();
    const handle = db.replica().cached();
    expect(await handle.value('SELECT ? AS x', [1])).toBe(1);
    await stored(1);
    expect(await handle.value('SELECT ? AS x', ['1'])).toBe('1');
    expect(await handle.value('SELECT ? AS x', ['1'], { prepare: true })).toBe('1');
    expect(await handle.value(sql`SELECT ${1} AS x`)).toBe(1);
    expect(counts()).toEqual({ hits: 1, loads: 3 });
  });

  test('of two statements under one key never give the answer of the other', async () => {
    await open();
    const id = await products.add();
    const handle = db.replica().cached({ key: `both:${id}` });
    expect(await handle.query('SELECT id FROM products WHERE id = ?', [id])).toEqual([{ id }]);
    await stored(1);
    expect(await handle.query('SELECT n FROM products WHERE id = ?', [id])).toEqual([{ n: 1 }]);
    await stored(2);
    expect(await handle.query('SELECT id FROM products WHERE id = ?', [id])).toEqual([{ id }]);
  });

  test('do not wait for the load of another statement under their key', async () => {
    await open();
    const other = await products.open();
    let finish: (value: number) => void = () => {};
    const key = `one:${vendor}`;
    const slow = other.cache.read(key, () => new Promise<number>((resolve) => (finish = resolve)));
    await eventually('it loads', () => other.status().cache?.loads === 1);
    const startedAt = performance.now();
    expect(await db.replica().cached({ key }).value('SELECT 5')).toBe(5);
    expect(performance.now() - startedAt).toBeLessThan(900);
    finish(1);
    expect(await slow).toBe(1);
  });

  test('give every caller rows of its own', async () => {
    await open();
    const id = await products.add();
    const handle = products.cached(db, id);
    const read = () => handle.one('SELECT id, n FROM products WHERE id = ?', [id]);
    const [a, b] = await Promise.all([read(), read()]);
    expect(a).toEqual(b);
    expect(a).not.toBe(b);
  });

  test('make one row, one value or none of them, and check them by a schema', async () => {
    await open();
    const id = await products.add();
    const handle = products.cached(db, id);
    const params = [id];
    expect(await handle.maybeOne('SELECT n FROM products WHERE id = ?', [-1])).toBeUndefined();
    const schema = z.object({ n: z.number().transform((n) => n * 10) });
    for (let time = 0; time < 2; time += 1) {
      expect(await handle.one('SELECT n FROM products WHERE id = ?', params, { schema })).toEqual({ n: 10 });
    }
  });

  test('keep an empty result for a time of its own', async () => {
    await open();
    const handle = db.replica().cached({ ttlMs: 60_000, negativeTtlMs: 150 });
    const read = () => handle.query('SELECT id FROM products WHERE id = ?', [-7]);
    expect(await read()).toEqual([]);
    await stored(1);
    expect(await read()).toEqual([]);
    expect(counts()).toEqual({ hits: 1, loads: 1 });
    await eventually('it has expired', async () => {
      await read();
      return counts().loads === 2;
    });
  });

  test('expire', async () => {
    await open();
    const id = await products.add();
    const handle = db.replica().cached({ ttlMs: 150, key: `brief:${id}` });
    const read = () => handle.value<number>('SELECT n FROM products WHERE id = ?', [id]);
    expect(await read()).toBe(1);
    await products.write(db, id, 2);
    await eventually('it has expired', async () => (await read()) === 2, 5_000);
  });

  test('do not keep what is too large, or would come back as something else', async () => {
    db = await products.open({ cache: { maxValueBytes: 1_024, compressBytes: 0 } });
    for (const [index, value] of ['x'.repeat(2_000), new Map([[1, 2]])].entries()) {
      const read = () => db.cache.read(`odd:${vendor}:${index}`, async () => value);
      expect(await read()).toBe(value);
      expect(await read()).toEqual(value);
    }
    await eventually('all are turned away', () => {
      const { inexact = 0, 'too-large': large = 0 } = db.status().cache?.rejectedFills ?? {};
      return inexact === 2 && large === 2;
    });
    expect(counts()).toEqual({ hits: 0, loads: 4 });
  });

  test('hand on what a load fails with, and try again for the next caller', async () => {
    await open();
    const failing = db.cache.read('failing', () => Promise.reject(new Error('broken')));
    expect(String(await rejection(failing))).toContain('broken');
    expect(await db.cache.read('failing', async () => 5)).toBe(5);
    expect(await rejection(db.replica().cached().query('SELECT nothing FROM products'))).toMatchObject({
      code: 'VIPSQL_SQL',
    });
  });

  test('of primaryOnly tables are refused, and so is what is no read', async () => {
    await open();
    const handle = db.replica().cached();
    expect(await rejection(handle.query('SELECT n FROM stock'))).toBeInstanceOf(PrimaryRequiredError);
    const write: string = 'DELETE FROM products';
    expect(await rejection(handle.query(write as 'SELECT 1'))).toMatchObject({
      code: 'VIPSQL_REPLICA_READ_ONLY',
    });
  });

  test('and invalidation by itself are refused inside a transaction closure', async () => {
    await open();
    await db.transaction(async () => {
      const handle = db.replica().cached();
      expect(await rejection(handle.query('SELECT 1'))).toBeInstanceOf(OutsideTransactionError);
      expect(await rejection(db.cache.invalidate({ keys: ['a'] }))).toBeInstanceOf(OutsideTransactionError);
    });
  });

  test('end at their deadline while another caller loads', async () => {
    await open();
    let finish: (value: number) => void = () => {};
    const slow = db.cache.read('slow', () => new Promise<number>((resolve) => (finish = resolve)));
    await eventually('it loads', () => counts().loads === 1);
    const impatient = rejection(db.cache.read('slow', async () => 2, { timeoutMs: 100 }));
    expect(await impatient).toMatchObject({ code: 'VIPSQL_TIMEOUT' });
    const aborted = AbortSignal.timeout(50);
    expect(await rejection(db.cache.read('slow', async () => 2, { signal: aborted }))).toMatchObject({
      code: 'VIPSQL_ABORTED',
    });
    finish(1);
    expect(await slow).toBe(1);
  });

  test('need a cache', async () => {
    const without = await openServing(lab);
    expect(without.status().cache).toBeUndefined();
    expect(() => without.replica().cached()).toThrow(ConfigError);
    expect(await rejection(without.cache.invalidate({ keys: ['a'] }))).toBeInstanceOf(ConfigError);
    expect(await rejection(without.cache.read('a', async () => 1))).toBeInstanceOf(ConfigError);
    const inside = without.transaction(async (tx) => tx.invalidates({ keys: ['a'] }));
    expect(await rejection(inside)).toBeInstanceOf(ConfigError);
    const invalidates = { keys: ['a'] };
    const single = without.primary().execute('DO 1', [], { invalidates });
    expect(await rejection(single)).toBeInstanceOf(ConfigError);
  });

  test('work without Redis, in one process', async () => {
    db = await openServing(lab, { cache: {} });
    const id = await products.add();
    expect(await products.read(db, id)).toBe(1);
    expect(await products.read(db, id)).toBe(1);
    await db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
      invalidates: { tags: ['products'] },
    });
    expect(await products.read(db, id)).toBe(2);
    expect(counts()).toEqual({ hits: 1, loads: 2 });
  });

  test('refuse options that contradict what they are', async () => {
    await open();
    expect(() => db.replica({ consistency: 'strong' }).cached()).toThrow(/consistency/);
    expect(() => db.replica({ maxLagMs: 100 }).cached()).toThrow(/maxLagMs/);
    expect(() => db.replica().cached({ ttlMs: 0 })).toThrow(/ttlMs/);
    const invalidates = { keys: ['a'] };
    expect(() => db.primary().stream('SELECT 1', [], { invalidates } as object)).toThrow(/invalidates/);
  });
});
