import { type Cluster, sql, type Transaction, VipsqlError } from 'vipsql';
import type {
  LineRequest,
  Order,
  OrderLine,
  OrderRequest,
  OrderRow,
  Product,
  ProductFilter,
  Recorded,
  Restock,
  ShopRepository,
  Stock,
} from './model.ts';
import {
  idTaken,
  inLockOrder,
  isSameDelivery,
  isSameOrder,
  notFound,
  orderOf,
  outOfStock,
  priced,
} from './shop-rules.ts';

/**
 * The shop's SQL. Every write may be repeated with the same id and takes effect once, so a client that got no answer,
 * or was told that the outcome is in doubt, repeats its request.
 *
 * Locks are taken in one order everywhere, so that transactions wait for each other but never in a circle: first the
 * row that bears the client's id, then rows of `stock` by ascending sku.
 */
export class Shop implements ShopRepository {
  readonly #db: Cluster;

  constructor(db: Cluster) {
    this.#db = db;
  }

  /** One page of the catalogue, by sku. A replica may be a moment behind, which does no harm here. */
  products({ category, after, limit }: ProductFilter): Promise<Product[]> {
    const conditions = [
      ...(category === undefined ? [] : [sql`category = ${category}`]),
      ...(after === undefined ? [] : [sql`sku > ${after}`]),
    ];
    const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, ' AND ')}`;
    return this.#db
      .replica<Product>()
      .query(
        sql`SELECT sku, name, category, price_cents AS priceCents FROM product ${where} ORDER BY sku LIMIT ${limit}`,
      );
  }

  /** @throws ShopError `not_found` */
  async product(sku: string): Promise<Product> {
    const product = await this.#db
      .replica<Product>()
      .maybeOne('SELECT sku, name, category, price_cents AS priceCents FROM product WHERE sku = ?', [sku]);
    return product ?? notFound('product', sku);
  }

  /** The pieces left, as of now: `stock` is `primaryOnly`, a replica would be refused. @throws ShopError `not_found` */
  async stock(sku: string): Promise<Stock> {
    const stock = await this.#db
      .primary<Stock>({ idempotent: true })
      .maybeOne('SELECT sku, qty FROM stock WHERE sku = ?', [sku]);
    return stock ?? notFound('product', sku);
  }

  /** From the primary: whoever has just placed an order wants to see it. @throws ShopError `not_found` */
  async order(id: string): Promise<Order> {
    const rows = await this.#db.primary<OrderRow>({ idempotent: true }).query(
      `SELECT o.id, o.customer, o.status, o.created_at AS createdAt, l.sku, l.qty, l.price_cents AS priceCents
         FROM orders o JOIN order_line l ON l.order_id = o.id
        WHERE o.id = ? ORDER BY l.sku`,
      [id],
    );
    return orderOf(id, rows);
  }

  /**
   * Sells all lines of an order or none. The same request again gives the same order and sells nothing.
   *
   * @throws ShopError `out_of_stock`, `unknown_product`, or `id_taken` when the id stands for another order
   */
  async placeOrder(request: OrderRequest): Promise<Recorded<Order>> {
    const wanted = { ...request, lines: inLockOrder(request.lines) };
    const placed = await unlessRecorded(this.#db.transaction((tx) => sell(tx, wanted)));
    if (placed !== undefined) return { entry: placed, repeated: false };
    const entry = await this.order(request.id);
    if (!isSameOrder(entry, wanted)) throw idTaken('order', request.id);
    return { entry, repeated: true };
  }

  /** Gives the pieces back, once, however often it is called. @throws ShopError `not_found` */
  async cancelOrder(id: string): Promise<Order> {
    await this.#db.transaction(async (tx) => {
      const { affectedRows } = await tx.execute(
        "UPDATE orders SET status = 'cancelled', cancelled_at = NOW(3) WHERE id = ? AND status = 'placed'",
        [id],
      );
      if (affectedRows === 0) return;
      const lines = await tx
        .rows<LineRequest>()
        .query('SELECT sku, qty FROM order_line WHERE order_id = ?', [id]);
      for (const { sku, qty } of inLockOrder(lines)) {
        await tx.execute('UPDATE stock SET qty = qty + ? WHERE sku = ?', [qty, sku]);
      }
    });
    return this.order(id);
  }

  /**
   * Adds a delivery to the stock. The same request again adds nothing.
   *
   * @throws ShopError `not_found`, or `id_taken` when the id stands for another delivery
   */
  async restock(request: Restock): Promise<Recorded<Restock>> {
    const added = await unlessRecorded(this.#db.transaction((tx) => receive(tx, request)));
    if (added !== undefined) return { entry: added, repeated: false };
    const entry = await this.#db
      .primary<Restock>({ idempotent: true })
      .one('SELECT id, sku, qty FROM restock WHERE id = ?', [request.id]);
    if (!isSameDelivery(entry, request)) throw idTaken('restock', request.id);
    return { entry, repeated: true };
  }
}

/** The order's own row comes first: a second request with the same id waits there, and fails when the first commits. */
async function sell(tx: Transaction, { id, customer, lines }: OrderRequest): Promise<Order> {
  const createdAt = new Date();
  await tx.execute('INSERT INTO orders (id, customer, created_at) VALUES (?, ?, ?)', [
    id,
    customer,
    createdAt,
  ]);
  const sold = await withPrices(tx, lines);
  for (const { sku, qty } of lines) {
    const { affectedRows } = await tx.execute(
      'UPDATE stock SET qty = qty - :qty WHERE sku = :sku AND qty >= :qty',
      { sku, qty },
    );
    if (affectedRows === 0) throw outOfStock(sku, qty);
  }
  const rows = sold.map(({ sku, qty, priceCents }) => [id, sku, qty, priceCents]);
  await tx.execute(sql`INSERT INTO order_line (order_id, sku, qty, price_cents) VALUES ${sql.values(rows)}`);
  return { id, customer, status: 'placed', createdAt, lines: sold };
}

async function receive(tx: Transaction, { id, sku, qty }: Restock): Promise<Restock> {
  await tx.execute('INSERT INTO restock (id, sku, qty) VALUES (?, ?, ?)', [id, sku, qty]);
  const { affectedRows } = await tx.execute('UPDATE stock SET qty = qty + ? WHERE sku = ?', [qty, sku]);
  return affectedRows === 0 ? notFound('product', sku) : { id, sku, qty };
}

async function withPrices(tx: Transaction, lines: readonly LineRequest[]): Promise<OrderLine[]> {
  const products = await tx
    .rows<Pick<Product, 'sku' | 'priceCents'>>()
    .query('SELECT sku, price_cents AS priceCents FROM product WHERE sku IN (?)', [
      lines.map(({ sku }) => sku),
    ]);
  return priced(lines, products);
}

/** What a write returns, or `undefined` when its id is on record already: then the write itself was rolled back. */
async function unlessRecorded<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof VipsqlError && error.code === 'VIPSQL_DUPLICATE_KEY') return undefined;
    throw error;
  }
}
