import { Sequelize } from 'sequelize';
import { createCluster } from 'vipsql';
import { mysql2For } from 'vipsql/mysql2';
import { startLab } from 'vipsql/testing';
import { describe, expect, test } from 'vitest';
import { Orders } from '../../../examples/sequelize/orders.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { sellTwenty } from './sell-twenty.ts';

describe.each(labVendors)('the example for Sequelize on %s', (vendor) => {
  test('sells each piece once, also when the VIP moves meanwhile', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false });
    await using db = createCluster({ ...lab.config(), primaryOnly: ['stock'] });
    const sequelize = new Sequelize({
      dialect: 'mysql',
      dialectModule: mysql2For(db),
      replication: { write: { host: 'primary' }, read: [{ host: 'replica' }] },
      logging: false,
    });
    const orders = new Orders(sequelize);
    await sellTwenty(lab, orders);
    expect(await orders.left('pen')).toBe(0);
    expect(await db.primary().value('SELECT COUNT(*) FROM orders')).toBe(20);
    await orders.close();
  });
});
