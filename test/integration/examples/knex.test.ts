import { createCluster } from 'vipsql';
import { startLab } from 'vipsql/testing';
import { describe, expect, test } from 'vitest';
import { Orders } from '../../../examples/knex/orders.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { sellTwenty } from './sell-twenty.ts';

describe.each(labVendors)('the example for Knex on %s', (vendor) => {
  test('sells each piece once, also when the VIP moves meanwhile', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false });
    await using db = createCluster({ ...lab.config(), primaryOnly: ['stock'] });
    const orders = new Orders(db);
    await sellTwenty(lab, orders);
    expect(await db.primary().value('SELECT qty FROM stock')).toBe(0);
    expect(await db.primary().value('SELECT COUNT(*) FROM orders')).toBe(20);
    await orders.close();
  });
});
