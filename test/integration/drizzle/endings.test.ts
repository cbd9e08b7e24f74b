import { asc } from 'drizzle-orm';
import { int, type MySqlDatabase, mysqlTable } from 'drizzle-orm/mysql-core';
import type { MySql2PreparedQueryHKT, MySql2QueryResultHKT } from 'drizzle-orm/mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { drizzle } from '../../../src/adapters/drizzle/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { vipsqlErrorIn } from '../../support/wrapped-errors.ts';

const item = mysqlTable('item', { id: int().primaryKey(), qty: int().notNull() });

type Queries = MySqlDatabase<MySql2QueryResultHKT, MySql2PreparedQueryHKT>;

describe.each(labVendors)('a transaction of Drizzle on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.item (id INT PRIMARY KEY, qty INT NOT NULL)');
    await lab.heal();
  });

  afterEach(async () => {
    await lab.heal();
    await lab.owner().query('DELETE FROM lab.item');
  });
  afterAll(() => lab?.stop());

  const insert = (on: Queries, id: number): Promise<unknown> =>
    on.insert(item).values({ id, qty: 0 }).execute();
  const ids = async (): Promise<unknown[]> =>
    (await lab.owner().query('SELECT id FROM lab.item ORDER BY id')).map(({ id }) => id);

  test('that is rolled back leaves nothing of statements that nobody waited for', async () => {
    const database = drizzle(openCluster(lab));
    await insert(database, 1);
    for (let round = 0; round < 20; round += 1) {
      await rejection(
        database.transaction((tx) => Promise.all([1, 101, 102, 103].map((id) => insert(tx, id)))),
      );
      await rejection(
        database.transaction(async (tx) => {
          for (const id of [111, 112, 113]) insert(tx, id).catch(() => undefined);
          throw new Error('undo');
        }),
      );
    }
    expect(await ids()).toEqual([1]);
  });

  test('takes no statement after it has ended, nor does a part of it', async () => {
    const database = drizzle(openCluster(lab));
    const left: Queries[] = [];
    const late: Promise<unknown>[] = [];
    await rejection(
      database.transaction(async (tx) => {
        left.push(tx);
        for (const delayMs of [0, 1, 2, 5, 10]) {
          late.push(rejection(sleep(delayMs).then(() => insert(tx, 200 + delayMs))));
        }
        throw new Error('undo');
      }),
    );
    await Promise.allSettled(late);
    await database.transaction(async (tx) => {
      left.push(tx);
      await tx.transaction(async (inner) => {
        left.push(inner);
        await insert(inner, 2);
      });
      const undone = tx.transaction(async (inner) => {
        left.push(inner);
        await insert(inner, 3);
        throw new Error('undo the part');
      });
      await rejection(undone);
      for (const inner of left.slice(-2)) {
        const refused = vipsqlErrorIn(await rejection(insert(inner, 4)));
        expect(refused).toMatchObject({ code: 'VIPSQL_TRANSACTION_CLOSED', outcome: 'not-executed' });
      }
      await insert(tx, 5);
    });
    for (const tx of left) {
      const closed = { code: 'VIPSQL_TRANSACTION_CLOSED' };
      expect(vipsqlErrorIn(await rejection(insert(tx, 6)))).toMatchObject(closed);
      const reading = rejection(tx.select().from(item).iterator().next());
      expect(vipsqlErrorIn(await reading)).toMatchObject(closed);
      expect(vipsqlErrorIn(await rejection(tx.transaction((inner) => insert(inner, 7))))).toMatchObject(
        closed,
      );
    }
    expect(await ids()).toEqual([2, 5]);
  });

  test('that goes on for too long is rolled back at its deadline', async () => {
    const db = openCluster(lab, { transactionTimeoutMs: 1_000, pool: { max: 1 } });
    const database = drizzle(db);
    await insert(database, 1);
    let goOn: () => void = () => {};
    const isToEnd = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const late = rejection(
      database.transaction(async (tx) => {
        await insert(tx, 2);
        await isToEnd;
      }),
    );
    await eventually('the connection is free', () => db.status().primary.inUse === 0);
    await insert(database, 3);
    goOn();
    expect(await late).toMatchObject({ code: 'VIPSQL_TIMEOUT', phase: 'closure' });
    expect(await ids()).toEqual([1, 3]);
  });

  test('goes on after an iterator that was left early, and streams what it has written', async () => {
    const database = drizzle(openCluster(lab, { pool: { max: 1 } }));
    for (let id = 0; id < 60; id += 1) await insert(database, id);
    await database.transaction(async (tx) => {
      await insert(tx, 100);
      for await (const _ of tx.select().from(item).iterator()) break;
      const seen: unknown[] = [];
      for await (const { id } of tx.select().from(item).orderBy(asc(item.id)).iterator()) seen.push(id);
      expect(seen).toHaveLength(61);
      await insert(tx, 101);
    });
    expect(await ids()).toHaveLength(62);
  });
});
