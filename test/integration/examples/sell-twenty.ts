import type { Lab } from 'vipsql/testing';
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';

/** What the examples have in common. */
export interface ExampleOrders {
  createTables(): Promise<void>;
  offer(sku: string, name: string, qty: number): Promise<void>;
  catalogue(): Promise<readonly string[]>;
  place(id: string, sku: string, qty: number): Promise<boolean>;
}

/** Thirty clients want one of twenty pieces each, while the VIP moves; whoever got an error asks again. */
export async function sellTwenty(lab: Lab, orders: ExampleOrders): Promise<void> {
  await orders.createTables();
  await orders.offer('pen', 'A pen', 20);
  await lab.heal();
  await eventually('the replica serves', async () => (await orders.catalogue()).join() === 'A pen');

  const ids = Array.from({ length: 30 }, (_, i) => `order-${i}`);
  const placing = ids.map(async (id, i) => {
    if (i === 10) await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    return await orders.place(id, 'pen', 1);
  });
  const placed = (await Promise.allSettled(placing)).map((end) => end.status === 'fulfilled' && end.value);
  for (const [i, id] of ids.entries()) if (placed[i] === false) placed[i] = await orders.place(id, 'pen', 1);
  expect(placed.filter((done) => done)).toHaveLength(20);
  expect(await orders.place('order-late', 'pen', 1)).toBe(false);
}
