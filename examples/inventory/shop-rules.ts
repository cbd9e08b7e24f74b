import type { LineRequest, Order, OrderLine, OrderRequest, OrderRow, Product, Restock } from './model.ts';
import { ShopError } from './shop-error.ts';

// What holds for the shop whichever library speaks to the database.

/** Transactions that take their locks in one order wait for each other, but never in a circle. */
export function inLockOrder<Line extends LineRequest>(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

/** Puts an order together from its rows. @throws ShopError `not_found` */
export function orderOf(id: string, rows: readonly OrderRow[]): Order {
  const [first] = rows;
  if (first === undefined) return notFound('order', id);
  const { customer, status, createdAt } = first;
  const lines = rows.map(({ sku, qty, priceCents }) => ({ sku, qty, priceCents }));
  return { id, customer, status, createdAt, lines };
}

/** The lines with today's prices. @throws ShopError `unknown_product` */
export function priced(
  lines: readonly LineRequest[],
  products: readonly Pick<Product, 'sku' | 'priceCents'>[],
): OrderLine[] {
  const prices = new Map(products.map(({ sku, priceCents }) => [sku, priceCents]));
  return lines.map(({ sku, qty }) => {
    const priceCents = prices.get(sku);
    if (priceCents === undefined) throw new ShopError('unknown_product', `There is no product ${sku}.`);
    return { sku, qty, priceCents };
  });
}

/** Whether an order on record is the one that was asked for, whose lines are {@link inLockOrder}. */
export function isSameOrder(order: Order, request: OrderRequest): boolean {
  return (
    order.customer === request.customer &&
    order.lines.length === request.lines.length &&
    order.lines.every(({ sku, qty }, i) => sku === request.lines[i]?.sku && qty === request.lines[i]?.qty)
  );
}

export function isSameDelivery(entry: Restock, request: Restock): boolean {
  return entry.sku === request.sku && entry.qty === request.qty;
}

export function notFound(kind: 'product' | 'order', id: string): never {
  throw new ShopError('not_found', `There is no ${kind} ${id}.`);
}

export function outOfStock(sku: string, qty: number): ShopError {
  return new ShopError('out_of_stock', `There are not ${qty} pieces of ${sku} left.`);
}

export function idTaken(kind: 'order' | 'restock', id: string): ShopError {
  return new ShopError('id_taken', `The id ${id} stands for another ${kind}; choose a new one.`);
}
