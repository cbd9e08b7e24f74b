import type { LabServer } from 'vipsql/testing';
import type { Ledger, OrderEntry } from './ledger.ts';

interface StoredOrder {
  readonly id: string;
  readonly status: 'placed' | 'cancelled';
  /** `SKU×qty` by sku. */
  readonly content: string | null;
}

/** Products whose stock is not what came in less what was sold, or is less than nothing. */
const imbalanceSql = `
  SELECT stock.sku, stock.qty, COALESCE(received.qty, 0) AS received, COALESCE(sold.qty, 0) AS sold
    FROM stock
    LEFT JOIN (SELECT sku, SUM(qty) AS qty FROM restock GROUP BY sku) AS received ON received.sku = stock.sku
    LEFT JOIN (SELECT line.sku, SUM(line.qty) AS qty
                 FROM order_line AS line JOIN orders ON orders.id = line.order_id
                WHERE orders.status = 'placed' GROUP BY line.sku) AS sold ON sold.sku = stock.sku
   WHERE stock.qty < 0 OR stock.qty <> COALESCE(received.qty, 0) - COALESCE(sold.qty, 0)`;

const ordersSql = `
  SELECT orders.id, orders.status, GROUP_CONCAT(CONCAT(sku, ' x ', qty) ORDER BY sku) AS content
    FROM orders LEFT JOIN order_line ON order_line.order_id = orders.id
   GROUP BY orders.id, orders.status`;

/** A digest per table that is equal on two servers when they hold the same rows. */
const fingerprintSql = `
  SELECT 'product' AS name, COUNT(*) AS total, BIT_XOR(CRC32(CONCAT_WS('|', sku, name, category, price_cents))) AS digest FROM product
  UNION ALL SELECT 'stock', COUNT(*), BIT_XOR(CRC32(CONCAT_WS('|', sku, qty))) FROM stock
  UNION ALL SELECT 'orders', COUNT(*), BIT_XOR(CRC32(CONCAT_WS('|', id, customer, status, created_at, cancelled_at))) FROM orders
  UNION ALL SELECT 'order_line', COUNT(*), BIT_XOR(CRC32(CONCAT_WS('|', order_id, sku, qty, price_cents))) FROM order_line
  UNION ALL SELECT 'restock', COUNT(*), BIT_XOR(CRC32(CONCAT_WS('|', id, sku, qty, created_at))) FROM restock`;

/** Holds the database of one server against itself and against what the buyers were told; gives what is wrong. */
export async function audit(server: LabServer, database: string, ledger: Ledger): Promise<string[]> {
  await server.query(`USE ${database}`);
  const imbalances = await server.query(imbalanceSql);
  const orders = await server.query<StoredOrder>(ordersSql);
  const restocks = await server.query<{ id: string; sku: string; qty: number }>(
    'SELECT id, sku, qty FROM restock',
  );
  return [
    ...imbalances.map((row) => `stock does not balance: ${JSON.stringify(row)}`),
    ...compareOrders(orders, ledger),
    ...compareRestocks(restocks, ledger),
  ];
}

/** Gives the servers whose tables differ from those of the first one. */
export async function compareServers(
  [first, ...others]: readonly LabServer[],
  database: string,
): Promise<string[]> {
  if (first === undefined) return [];
  const expected = await fingerprint(first, database);
  const problems: string[] = [];
  for (const server of others) {
    const found = await fingerprint(server, database);
    if (found !== expected)
      problems.push(`${server.name} differs from ${first.name}: ${found} instead of ${expected}`);
  }
  return problems;
}

async function fingerprint(server: LabServer, database: string): Promise<string> {
  await server.query(`USE ${database}`);
  return JSON.stringify(await server.query(fingerprintSql));
}

function compareOrders(stored: readonly StoredOrder[], ledger: Ledger): string[] {
  const problems: string[] = [];
  const byId = new Map(stored.map((order) => [order.id, order]));
  if (byId.size !== stored.length) problems.push('an order is on record twice');
  for (const { id } of stored) {
    if (!ledger.orders.has(id)) problems.push(`order ${id} is on record and nobody asked for it`);
  }
  for (const entry of ledger.orders.values()) {
    const problem = compareOrder(entry, byId.get(entry.request.id));
    if (problem !== undefined) problems.push(`order ${entry.request.id} ${problem}`);
  }
  return problems;
}

function compareOrder({ request, told }: OrderEntry, stored: StoredOrder | undefined): string | undefined {
  if (stored === undefined) {
    return told === 'refused' || told === 'unanswered'
      ? undefined
      : `was confirmed (${told}) and is not on record`;
  }
  if (told === 'refused') return 'was refused and is on record';
  if (told === 'placed' && stored.status !== 'placed') return 'is cancelled and nobody asked for that';
  if (told === 'cancelled' && stored.status !== 'cancelled') return 'was cancelled and still stands';
  const content = request.lines
    .map(({ sku, qty }) => `${sku} x ${qty}`)
    .sort()
    .join(',');
  return stored.content === content ? undefined : `asked for ${content} and got ${stored.content}`;
}

function compareRestocks(
  stored: readonly { readonly id: string; readonly sku: string; readonly qty: number }[],
  ledger: Ledger,
): string[] {
  const byId = new Map(stored.map((restock) => [restock.id, restock]));
  return [...ledger.restocks.values()].flatMap(({ id, sku, qty }) => {
    const found = byId.get(id);
    if (found?.sku === sku && found.qty === qty) return [];
    return [`delivery ${id} was confirmed and is ${found === undefined ? 'not' : 'differently'} on record`];
  });
}
