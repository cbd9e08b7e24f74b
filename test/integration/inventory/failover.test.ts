import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { audit, compareServers } from '../../../examples/inventory/demo/books.ts';
import { openDoors } from '../../../examples/inventory/demo/buyers.ts';
import { createCatalogue } from '../../../examples/inventory/demo/catalogue.ts';
import { Ledger } from '../../../examples/inventory/demo/ledger.ts';
import { Tally } from '../../../examples/inventory/demo/tally.ts';
import { eventually } from '../../support/cluster.ts';
import { ShopFixture, shops } from './shop-fixture.ts';

describe.each(shops)('the shop on $vendor by $library, with buyers', ({ vendor, library }) => {
  let shop: ShopFixture;
  let ledger: Ledger;

  beforeEach(async () => {
    shop = await ShopFixture.open(vendor, library);
    ledger = new Ledger();
    await createCatalogue(shop.db);
  });

  afterEach(async () => {
    await shop?.[Symbol.asyncDispose]();
  });

  /** Lets buyers shop over HTTP while `meanwhile` runs. */
  async function doBusiness(meanwhile: () => Promise<void>): Promise<void> {
    const url = await shop.app.listen({ host: '127.0.0.1', port: 0 });
    await openDoors({ url, buyers: 8, ledger, tally: new Tally() }, meanwhile);
  }

  async function ordersPlaced(count: number): Promise<void> {
    await eventually(`${count} orders`, () => ledger.placedAt.length >= count, 20_000);
  }

  test('keeps its books balanced when the primary is killed in the middle of orders', async () => {
    const { lab, db } = shop;
    const epochs: number[] = [];
    db.on('epoch:opened', ({ epoch }) => epochs.push(epoch));
    await doBusiness(async () => {
      await ordersPlaced(50);
      await lab.fault({ kind: 'kill', server: 'a' });
      const before = ledger.placedAt.length;
      await lab.fault({ kind: 'failover' });
      await ordersPlaced(before + 50);
    });

    expect(epochs.at(-1)).toBe(2);
    expect(ledger.count('unanswered', 'cancelling')).toBe(0);
    expect(ledger.unexpected).toEqual([]);
    expect(await audit(lab.owner(), lab.database, ledger)).toEqual([]);

    await lab.heal();
    expect(await audit(lab.owner(), lab.database, ledger)).toEqual([]);
    expect(await compareServers([...lab.masters, ...lab.replicas], lab.database)).toEqual([]);
  });

  test('finds in its books whatever is wrong', async () => {
    await doBusiness(() => ordersPlaced(30));
    const { lab, db } = shop;
    const primary = db.primary();
    const entries = [...ledger.orders.values()].filter(({ told }) => told === 'placed');
    const [lost, changed, resold] = entries;
    if (lost === undefined || changed === undefined || resold === undefined)
      throw new Error('too few orders were placed');
    const books = (): Promise<string[]> => audit(lab.owner(), lab.database, ledger);
    expect(await books()).toEqual([]);

    await primary.execute("UPDATE stock SET qty = qty - 1 WHERE sku = 'TOYS-050'");
    expect(await books()).toEqual([expect.stringMatching(/stock does not balance.*TOYS-050/)]);
    await primary.execute("UPDATE stock SET qty = qty + 1 WHERE sku = 'TOYS-050'");

    resold.told = 'refused';
    expect(await books()).toEqual([`order ${resold.request.id} was refused and is on record`]);
    resold.told = 'cancelled';
    expect(await books()).toEqual([`order ${resold.request.id} was cancelled and still stands`]);
    ledger.orders.delete(resold.request.id);
    expect(await books()).toEqual([`order ${resold.request.id} is on record and nobody asked for it`]);
    ledger.orders.set(resold.request.id, { ...resold, told: 'placed' });

    await primary.execute('DELETE FROM order_line WHERE order_id = ?', [lost.request.id]);
    await primary.execute('DELETE FROM orders WHERE id = ?', [lost.request.id]);
    await primary.execute('UPDATE order_line SET qty = qty + 1 WHERE order_id = ?', [changed.request.id]);
    const problems = await books();
    expect(problems).toContain(`order ${lost.request.id} was confirmed (placed) and is not on record`);
    expect(problems).toContainEqual(expect.stringContaining(`order ${changed.request.id} asked for`));
    expect(problems.filter((problem) => problem.includes('does not balance'))).not.toEqual([]);

    await lab.heal();
    await lab.fault({ kind: 'read-only', server: 'r1', on: false });
    await lab.server('r1').query(`DELETE FROM ${lab.database}.restock LIMIT 1`);
    expect(await compareServers([...lab.masters, ...lab.replicas], lab.database)).toEqual([
      expect.stringMatching(/^r1 differs from a/),
    ]);
  });
});
