import type { Knex } from 'knex';
import { VipsqlError } from 'vipsql';
import 'vipsql/knex';
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

const productColumns = ['sku', 'name', 'category', 'price_cents as priceCents'];

/**
 * The same shop on Knex, with `knex({ client: knexClient(db) })`. A transaction of Knex does not run its closure again:
 * after a deadlock or a failover the client is told to repeat its request, as after a lost answer.
 */
export class KnexShop implements ShopRepository {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async products({ category, after, limit }: ProductFilter): Promise<Product[]> {
    const query = this.#knex('product')
      .replica()
      .select<Product[]>(productColumns)
      .orderBy('sku')
      .limit(limit);
    if (category !== undefined) query.where('category', category);
    if (after !== undefined) query.where('sku', '>', after);
    return await query;
  }

  async product(sku: string): Promise<Product> {
    const product = await this.#knex('product').replica().where('sku', sku).first<Product>(productColumns);
    return product ?? notFound('product', sku);
  }

  /** On the primary, where everything runs that does not ask for a replica. */
  async stock(sku: string): Promise<Stock> {
    const stock = await this.#knex('stock').where('sku', sku).first<Stock>('sku', 'qty');
    return stock ?? notFound('product', sku);
  }

  async order(id: string): Promise<Order> {
    const rows = await this.#knex('orders as o')
      .join('order_line as l', 'l.order_id', 'o.id')
      .where('o.id', id)
      .orderBy('l.sku')
      .select<OrderRow[]>([
        'o.id',
        'o.customer',
        'o.status',
        'o.created_at as createdAt',
        'l.sku',
        'l.qty',
        'l.price_cents as priceCents',
      ]);
    return orderOf(id, rows);
  }

  async placeOrder(request: OrderRequest): Promise<Recorded<Order>> {
    const wanted = { ...request, lines: inLockOrder(request.lines) };
    const placed = await unlessRecorded(this.#knex.transaction((trx) => sell(trx, wanted)));
    if (placed !== undefined) return { entry: placed, repeated: false };
    const entry = await this.order(request.id);
    if (!isSameOrder(entry, wanted)) throw idTaken('order', request.id);
    return { entry, repeated: true };
  }

  async cancelOrder(id: string): Promise<Order> {
    await this.#knex.transaction(async (trx) => {
      const cancelled = await trx('orders')
        .where({ id, status: 'placed' })
        .update({ status: 'cancelled', cancelled_at: new Date() });
      if (cancelled === 0) return;
      const lines = await trx('order_line').where('order_id', id).select<LineRequest[]>('sku', 'qty');
      for (const { sku, qty } of inLockOrder(lines))
        await trx('stock').where('sku', sku).increment('qty', qty);
    });
    return await this.order(id);
  }

  async restock(request: Restock): Promise<Recorded<Restock>> {
    const added = await unlessRecorded(this.#knex.transaction((trx) => receive(trx, request)));
    if (added !== undefined) return { entry: added, repeated: false };
    const entry = await this.#knex('restock').where('id', request.id).first<Restock>('id', 'sku', 'qty');
    if (!isSameDelivery(entry, request)) throw idTaken('restock', request.id);
    return { entry, repeated: true };
  }
}

/** The order's own row comes first: a second request with the same id waits there, and fails when the first commits. */
async function sell(trx: Knex.Transaction, { id, customer, lines }: OrderRequest): Promise<Order> {
  const createdAt = new Date();
  await trx('orders').insert({ id, customer, created_at: createdAt });
  const sold = await withPrices(trx, lines);
  for (const { sku, qty } of lines) {
    const taken = await trx('stock').where('sku', sku).where('qty', '>=', qty).decrement('qty', qty);
    if (taken === 0) throw outOfStock(sku, qty);
  }
  await trx('order_line').insert(
    sold.map(({ sku, qty, priceCents }) => ({ order_id: id, sku, qty, price_cents: priceCents })),
  );
  return { id, customer, status: 'placed', createdAt, lines: sold };
}

async function receive(trx: Knex.Transaction, { id, sku, qty }: Restock): Promise<Restock> {
  await trx('restock').insert({ id, sku, qty });
  const found = await trx('stock').where('sku', sku).increment('qty', qty);
  return found === 0 ? notFound('product', sku) : { id, sku, qty };
}

async function withPrices(trx: Knex.Transaction, lines: readonly LineRequest[]): Promise<OrderLine[]> {
  const skus = lines.map(({ sku }) => sku);
  const products = await trx('product')
    .whereIn('sku', skus)
    .select<Pick<Product, 'sku' | 'priceCents'>[]>('sku', 'price_cents as priceCents');
  return priced(lines, products);
}

/** What a write returns, or `undefined` when its id is on record already: then the write itself was rolled back. */
async function unlessRecorded<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof VipsqlError && cause.code === 'VIPSQL_DUPLICATE_KEY') return undefined;
    throw error;
  }
}
