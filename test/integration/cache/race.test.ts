import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Gate, Products } from './products.ts';

type Target = 'key' | 'tag';

describe.each(labVendors)('an invalidation during a load, on %s', (vendor) => {
  let lab: Lab;
  let products: Products;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 2, redis: true });
    products = await Products.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const rejectedFills = (db: Cluster) => db.status().cache?.rejectedFills ?? { invalidated: 0 };
  const select = 'SELECT n FROM products WHERE id = ?';

  /** A cached value that is one number, by way of a load that may be held up after it has read. */
  const readHeld = (db: Cluster, id: number, gate?: Gate): Promise<number> =>
    db.cache.read(
      products.keyOf(id),
      async (source) => {
        const n = await source.replica().value<number>(select, [id]);
        await gate?.pass();
        return n;
      },
      { tags: [products.tagOf(id)] },
    );

  const targets = (id: number, target: Target) =>
    target === 'key' ? { keys: [products.keyOf(id)] } : { tags: [products.tagOf(id)] };

  const ways: readonly [string, (db: Cluster, id: number, target: Target) => Promise<unknown>][] = [
    [
      'a write with `invalidates`',
      (db, id, target) =>
        db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
          invalidates: targets(id, target),
        }),
    ],
    [
      'a transaction with `tx.invalidates`',
      (db, id, target) =>
        db.transaction(async (tx) => {
          tx.invalidates(targets(id, target));
          await tx.execute('UPDATE products SET n = 2 WHERE id = ?', [id]);
        }),
    ],
    [
      '`db.cache.invalidate` after the write',
      async (db, id, target) => {
        await products.write(db, id, 2);
        expect(await db.cache.invalidate(targets(id, target))).toEqual({ delivered: true });
      },
    ],
  ];

  describe.each(ways)('by %s', (_, write) => {
    test.each<[Target, string]>([
      ['key', 'the same process'],
      ['key', 'another process'],
      ['tag', 'the same process'],
      ['tag', 'another process'],
    ])('of the %s, from %s, is seen by every read that begins afterwards', async (target, from) => {
      const [db, other] = [await products.open(), await products.open()];
      const id = await products.add();
      const gate = new Gate();
      const early = readHeld(db, id, gate);
      await gate.reached;
      await write(from === 'the same process' ? db : other, id, target);
      const [again, elsewhere] = [readHeld(db, id), readHeld(other, id)];
      expect(await Promise.all([again, elsewhere])).toEqual([2, 2]);
      gate.open();
      expect(await early).toBe(1);
      expect(await readHeld(db, id)).toBe(2);
      expect(await readHeld(other, id)).toBe(2);
      await eventually('the early load was turned away', () => rejectedFills(db).invalidated === 1);
    });

    test('is seen while no replica has the change, and afterwards', async () => {
      const [db, other] = [await products.open({ consistency: { waitMs: 50 } }), await products.open()];
      const id = await products.add();
      expect(await products.read(db, id)).toBe(1);
      expect(await products.read(db, id)).toBe(1);
      await products.stopAppliers();
      await write(other, id, 'key');
      for (let again = 0; again < 5; again += 1) expect(await products.read(db, id)).toBe(2);
      await db.cache.invalidate({ keys: [products.keyOf(id)] });
      expect(await products.read(db, id)).toBe(2);
      expect(await products.read(other, id)).toBe(2);
    });
  });

  test('a read joins a load that began in the generation that it has seen', async () => {
    const db = await products.open();
    const id = await products.add();
    const gate = new Gate();
    const first = readHeld(db, id, gate);
    await gate.reached;
    const others = [readHeld(db, id), readHeld(db, id)];
    await eventually('they have looked', () => db.status().cache?.misses === 3);
    gate.open();
    expect(await Promise.all([first, ...others])).toEqual([1, 1, 1]);
    expect(db.status().cache).toMatchObject({ loads: 1, joined: 2, misses: 3, hits: 0 });
  });

  test('another process waits for the load instead of loading, too', async () => {
    const [db, other] = [await products.open(), await products.open()];
    const id = await products.add();
    const gate = new Gate();
    const first = readHeld(db, id, gate);
    await gate.reached;
    const second = readHeld(other, id);
    setTimeout(() => gate.open(), 100);
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(other.status().cache).toMatchObject({ loads: 0, waited: 1 });
  });

  test.each([
    ['a key', {}],
    ['a key with tags', { tags: ['stampede', 'herd'] }],
  ])('a thousand readers of %s in four processes cause one load', async (_, options) => {
    const clusters = await Promise.all([1, 2, 3, 4].map(() => products.open()));
    const id = await products.add();
    let loads = 0;
    const load = async (): Promise<number> => {
      loads += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return 1;
    };
    const reads = Array.from({ length: 1_000 }, (_, reader) =>
      (clusters[reader % 4] as Cluster).cache.read(products.keyOf(id), load, options),
    );
    expect(new Set(await Promise.all(reads))).toEqual(new Set([1]));
    expect(loads).toBe(1);
    expect(clusters.map((db) => db.status().cache?.bypassed)).toEqual([0, 0, 0, 0]);
  });

  test('a load whose fence is known is made on a replica', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    const strong = db.status().cache?.strongLoads;
    await db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
      invalidates: { keys: [products.keyOf(id)] },
    });
    const { fellBack } = db.status().consistency;
    expect(await products.read(db, id)).toBe(2);
    expect(db.status().cache).toMatchObject({ strongLoads: strong, loads: 2 });
    await eventually('it is stored', () => db.status().cache?.fills === 2);
    expect(db.status().consistency.fellBack).toBe(fellBack);
  });

  test('a transaction that is rolled back leaves nothing pending', async () => {
    const db = await products.open();
    const id = await products.add();
    await products.read(db, id);
    await expect(
      db.transaction(async (tx) => {
        tx.invalidates({ keys: [products.keyOf(id)] });
        throw new Error('not today');
      }),
    ).rejects.toThrow('not today');
    expect(await products.read(db, id)).toBe(1);
    expect(db.status().cache).toMatchObject({ hits: 1, invalidations: 0 });
  });
});
