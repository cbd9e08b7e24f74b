import { randomUUID } from 'node:crypto';
import { type Cluster, createCluster, PrimaryRequiredError } from 'vipsql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { labVendors } from '../../support/lab-vendors.ts';
import { ShopFixture } from './shop-fixture.ts';

/** The part of a handle that a service reads stock with. */
interface StockReader {
  value<T>(query: string, params: string[]): Promise<T>;
}

/** Looks how many are left, decides here, and writes down what it thinks is left then. */
async function sellCarelessly(db: Cluster, reader: StockReader, qty: number): Promise<boolean> {
  const left = await reader.value<number>('SELECT qty FROM stock WHERE sku = ?', ['RAKE-1']);
  if (left < qty) return false;
  const id = randomUUID();
  await db.transaction(async (tx) => {
    await tx.execute("INSERT INTO orders (id, customer, created_at) VALUES (?, 'ann', NOW(3))", [id]);
    await tx.execute(
      "INSERT INTO order_line (order_id, sku, qty, price_cents) VALUES (?, 'RAKE-1', ?, 250)",
      [id, qty],
    );
    await tx.execute("UPDATE stock SET qty = ? WHERE sku = 'RAKE-1'", [left - qty]);
  });
  return true;
}

const views = {
  available: 'SELECT sku, qty FROM stock WHERE qty > 0',
  catalogue: 'SELECT p.sku, p.name, s.qty FROM product AS p LEFT JOIN stock AS s ON s.sku = p.sku',
  shop_window: 'SELECT sku, qty FROM catalogue',
};

/** Ways to read how many rakes are left; each gives one row with `qty`. */
const wrongWays = [
  "SELECT qty FROM stock WHERE sku = 'RAKE-1'",
  "SELECT s.qty FROM stock AS s WHERE s.sku = 'RAKE-1'",
  "SELECT qty FROM lab.stock WHERE sku = 'RAKE-1'",
  "SELECT qty FROM `stock` WHERE sku = 'RAKE-1'",
  "SELECT qty FROM `lab` . `stock` product WHERE sku = 'RAKE-1'",
  "SELECT qty FROM /* product */ stock WHERE sku = 'RAKE-1'",
  "SELECT s.qty FROM product p JOIN stock s ON s.sku = p.sku WHERE p.sku = 'RAKE-1'",
  "SELECT s.qty FROM product p, stock s WHERE s.sku = p.sku AND p.sku = 'RAKE-1'",
  "SELECT qty FROM product NATURAL JOIN stock WHERE sku = 'RAKE-1'",
  "SELECT (SELECT qty FROM stock s WHERE s.sku = p.sku) AS qty FROM product p WHERE p.sku = 'RAKE-1'",
  "SELECT qty FROM (SELECT * FROM stock) AS product WHERE sku = 'RAKE-1'",
  "WITH product AS (SELECT * FROM stock) SELECT qty FROM product WHERE sku = 'RAKE-1'",
  "SELECT qty FROM stock WHERE sku = 'RAKE-1' UNION SELECT 0 FROM product WHERE 1 = 0",
  "(SELECT qty FROM stock WHERE sku = 'RAKE-1')",
  "SELECT qty FROM available WHERE sku = 'RAKE-1'",
  "SELECT c.qty FROM catalogue AS c WHERE sku = 'RAKE-1'",
  "SELECT qty FROM lab.`shop_window` WHERE sku = 'RAKE-1'",
  "WITH w AS (SELECT * FROM shop_window) SELECT qty FROM w WHERE sku = 'RAKE-1'",
];

describe.each(labVendors)('stock behind replicas that lag, on %s', (vendor) => {
  const opening = 5;
  let shop: ShopFixture;
  let unguarded: Cluster;

  beforeAll(async () => {
    shop = await ShopFixture.open(vendor);
    for (const [name, definition] of Object.entries(views)) {
      await shop.db.primary().query(`CREATE VIEW ${name} AS ${definition}`);
    }
    unguarded = createCluster({ ...shop.lab.config() });
  });
  beforeEach(async () => {
    await shop.stockUp({ 'RAKE-1': opening });
    for (const { name } of shop.lab.replicas) await shop.lab.fault({ kind: 'stop-applier', server: name });
  });
  afterEach(() => shop.lab.heal());
  afterAll(async () => {
    await unguarded?.close();
    await shop?.[Symbol.asyncDispose]();
  });

  /** What was delivered, less what was sold: below zero the shop owes what it does not have. */
  async function left(): Promise<number> {
    const books = 'SELECT (SELECT SUM(qty) FROM restock) - COALESCE((SELECT SUM(qty) FROM order_line), 0)';
    return Number(await shop.db.primary().value(books));
  }

  /** Sells two at a time until told to stop; the number of orders taken. */
  async function sellOut(db: Cluster, reader: StockReader): Promise<number> {
    let orders = 0;
    while (orders < 10 && (await sellCarelessly(db, reader, 2))) orders += 1;
    return orders;
  }

  test('without the guard, ten orders of two are taken although there were five pieces', async () => {
    expect(await sellOut(unguarded, unguarded.replica())).toBe(10);
    expect(await left()).toBe(-15);
  });

  test('with it, the same service sells nothing: the read is refused', async () => {
    await expect(sellOut(shop.db, shop.db.replica())).rejects.toBeInstanceOf(PrimaryRequiredError);
    expect(await left()).toBe(opening);
  });

  test('with it, db.auto() reads on the primary, and two orders are taken', async () => {
    expect(await sellOut(shop.db, shop.db.auto())).toBe(2);
    expect(await left()).toBe(1);
  });

  test('the shop of the example sells what there is, to many who order at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.order({ 'RAKE-1': 2 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, ...Array(8).fill(409)]);
    expect(await left()).toBe(1);
    expect(await shop.left('RAKE-1')).toBe(1);
  });

  test.each(wrongWays)('%s', async (text: string) => {
    await shop.order({ 'RAKE-1': 3 });
    const { db, lab } = shop;
    expect(await unguarded.replica<{ qty: number }>().one(text)).toMatchObject({ qty: opening });

    await expect(db.replica().query(text)).rejects.toBeInstanceOf(PrimaryRequiredError);
    await expect(async () => await db.replica().stream(text).toArray()).rejects.toBeInstanceOf(
      PrimaryRequiredError,
    );
    await expect(db.replica().snapshot((reads) => reads.query(text))).rejects.toBeInstanceOf(
      PrimaryRequiredError,
    );

    const { rows, server } = await db.auto<{ qty: number }>().queryWithInfo(text);
    expect([rows[0]?.qty, server]).toEqual([opening - 3, `${lab.vip.host}:${lab.vip.port}`]);
  });
});
