import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, ConfigError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Gate, Products } from './products.ts';

describe.each(labVendors)('cached reads that follow tables, on %s', (vendor) => {
  let lab: Lab;
  let products: Products;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: true });
    products = await Products.create(lab);
    await lab.owner().query('CREATE TABLE lab.others (id INT PRIMARY KEY)');
    await lab
      .owner()
      .query('CREATE PROCEDURE lab.raise_product(i INT) UPDATE lab.products SET n = n + 1 WHERE id = i');
  });
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const open = (cache: object = {}) => products.open({ cache: { tables: ['products'], ...cache } });
  const select = 'SELECT n FROM products WHERE id = ?';
  const read = (db: Cluster, id: number) => db.replica().cached({ tables: true }).value<number>(select, [id]);
  const hits = (db: Cluster) => db.status().cache?.hits;

  /** A product whose number is cached. */
  const cached = async (db: Cluster): Promise<number> => {
    const id = await products.add();
    const fills = (db.status().cache?.fills ?? 0) + 1;
    expect(await read(db, id)).toBe(1);
    await eventually('it is stored', () => db.status().cache?.fills === fills);
    return id;
  };

  const ways: readonly [string, (db: Cluster, id: number) => Promise<unknown>][] = [
    ['db.primary()', (db, id) => db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id])],
    ['db.auto()', (db, id) => db.auto().execute('UPDATE `lab`.`products` SET n = 2 WHERE id = ?', [id])],
    [
      'db.transaction',
      (db, id) =>
        db.transaction((tx) =>
          tx.execute('INSERT INTO products VALUES (?, 1) ON DUPLICATE KEY UPDATE n = 2', [id]),
        ),
    ],
    [
      'a procedure that is told of',
      (db, id) => db.primary().call('CALL raise_product(?)', [id], { invalidates: { tables: ['products'] } }),
    ],
    [
      'a transaction that tells',
      (db, id) =>
        db.transaction(async (tx) => {
          tx.invalidates({ tables: ['lab.products'] });
          await tx.call('CALL raise_product(?)', [id]);
        }),
    ],
    [
      'somebody else, whom db.cache.invalidate tells of',
      async (db, id) => {
        await lab.owner().query('UPDATE lab.products SET n = 2 WHERE id = ?', [id]);
        await db.cache.invalidate({ tables: ['products'] });
      },
    ],
  ];

  test.each(ways)('see a write by %s, also from another process', async (_, write) => {
    const [db, other] = [await open(), await open()];
    for (const writer of [db, other]) {
      const id = await cached(db);
      const before = hits(db) ?? 0;
      expect(await read(db, id)).toBe(1);
      expect(hits(db)).toBe(before + 1);
      await write(writer, id);
      expect(await read(db, id)).toBe(2);
    }
  });

  test('see one that overtakes their load', async () => {
    const [db, other] = [await open(), await open()];
    const id = await products.add();
    const gate = new Gate();
    const readHeld = () =>
      db.cache.read(
        `held:${id}`,
        async (source) => {
          const n = await source.replica().value<number>(select, [id]);
          await gate.pass();
          return n;
        },
        { tables: ['products'] },
      );
    const early = readHeld();
    await gate.reached;
    await other.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id]);
    gate.open();
    expect(await early).toBe(1);
    expect(await readHeld()).toBe(2);
  });

  test('are not touched by reads, and by writes to other tables', async () => {
    const db = await open();
    const id = await cached(db);
    await db.primary().query('SELECT n FROM products WHERE id = ? FOR UPDATE', [id]);
    await db.transaction(async (tx) => {
      await tx.query('SELECT n FROM products');
      await tx.execute('DELETE FROM others');
    });
    await read(db, id);
    expect(db.status().cache).toMatchObject({ hits: 1, invalidations: 0 });
  });

  test('refuse tables whose writes nobody would tell of', async () => {
    const db = await open();
    const handle = db.replica().cached({ tables: true });
    const refused = [
      handle.query('SELECT products.id FROM products JOIN others USING (id)'),
      db.cache.read('x', async () => 1, { tables: ['others'] }),
      db.cache.invalidate({ tables: ['others'] }),
      db.primary().execute('DO 1', [], { invalidates: { tables: ['others'] } }),
      db.transaction(async (tx) => tx.invalidates({ tables: ['others'] })),
    ];
    for (const each of refused) {
      const error = await rejection(each);
      expect(error).toBeInstanceOf(ConfigError);
      expect(String(error)).toMatch(/cache\.tables.*lab\.others/);
    }
  });

  test('and all others are over when the cache is cleared', async () => {
    const [db, other] = [await open({ clearable: true }), await open({ clearable: true })];
    const id = await cached(db);
    await products.read(db, id);
    await db.cache.read('a value', async () => new Date(0));
    await eventually('they are stored', () => db.status().cache?.fills === 3);
    expect(await db.cache.read('a value', async () => new Date(1))).toEqual(new Date(0));
    expect(hits(db)).toBe(1);
    await lab.owner().query('UPDATE lab.products SET n = 2 WHERE id = ?', [id]);
    expect(await other.cache.clear()).toEqual({ delivered: true });
    expect(await read(db, id)).toBe(2);
    expect(await products.read(db, id)).toBe(2);
    expect(await db.cache.read('a value', async () => new Date(1))).toEqual(new Date(1));
    expect(hits(db)).toBe(1);
  });

  test('cannot be cleared where nobody looks whether they were', async () => {
    const db = await open();
    expect(String(await rejection(db.cache.clear()))).toMatch(/cache\.clearable/);
  });
});
