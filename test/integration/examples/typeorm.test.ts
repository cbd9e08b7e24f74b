import { DataSource } from 'typeorm';
import { createCluster } from 'vipsql';
import { mysql2For } from 'vipsql/mysql2';
import { startLab } from 'vipsql/testing';
import { describe, expect, test } from 'vitest';
import { entities, Orders } from '../../../examples/typeorm/orders.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { sellTwenty } from './sell-twenty.ts';

describe.each(labVendors)('the example for TypeORM on %s', (vendor) => {
  test('sells each piece once, also when the VIP moves meanwhile', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false });
    await using db = createCluster({ ...lab.config(), primaryOnly: ['stock'] });
    const source = new DataSource({
      type: vendor,
      driver: mysql2For(db),
      timezone: 'Z',
      replication: { master: { host: 'primary' }, slaves: [{ host: 'replica' }] },
      entities,
    });
    await source.initialize();
    const orders = new Orders(source);
    await sellTwenty(lab, orders);
    expect(await orders.left('pen')).toBe(0);
    expect(await db.primary().value('SELECT COUNT(*) FROM orders')).toBe(20);
    await orders.close();
  });
});
