import { createCluster } from 'vipsql';
import { startLab } from 'vipsql/testing';
import { describe, expect, test } from 'vitest';
import { Orders } from '../../../examples/drizzle/orders.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { sellTwenty } from './sell-twenty.ts';

describe.each(labVendors)('the example for Drizzle on %s', (vendor) => {
  test('sells each piece once, also when the VIP moves meanwhile', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false });
    await using db = createCluster({ ...lab.config(), primaryOnly: ['stock'] });
    await sellTwenty(lab, new Orders(db));
    expect(await db.primary().value('SELECT qty FROM stock')).toBe(0);
    expect(await db.primary().value('SELECT COUNT(*) FROM orders')).toBe(20);
  });
});
