import { createCluster } from 'vipsql';
import { startLab } from 'vipsql/testing';
import { describe, expect, test } from 'vitest';
import { Orders } from '../../../examples/drizzle/orders.ts';
import { eventually } from '../../support/eventually.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('the example for Drizzle on %s', (vendor) => {
  test('sells each piece once, also when the VIP moves meanwhile', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false });
    await using db = createCluster({ ...lab.config(), primaryOnly: ['stock'] });
    const orders = new Orders(db);
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
    // Whoever got an error asks again with the same id.
    for (const [i, id] of ids.entries())
      if (placed[i] === false) placed[i] = await orders.place(id, 'pen', 1);
    expect(placed.filter((done) => done)).toHaveLength(20);
    expect(await db.primary().value('SELECT qty FROM stock')).toBe(0);
    expect(await db.primary().value('SELECT COUNT(*) FROM orders')).toBe(20);
    expect(await orders.place('order-late', 'pen', 1)).toBe(false);
  });
});
