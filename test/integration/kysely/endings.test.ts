import { Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { VipsqlDialect } from '../../../src/adapters/kysely/index.ts';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

interface Database {
  item: { id: number; qty: number };
}

describe.each(labVendors)('a transaction of Kysely on %s', (vendor) => {
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

  const open = (db: Cluster): Kysely<Database> => new Kysely<Database>({ dialect: new VipsqlDialect(db) });
  const insert = (kysely: Kysely<Database>, id: number): Promise<unknown> =>
    kysely.insertInto('item').values({ id, qty: 0 }).execute();
  const ids = async (): Promise<unknown[]> =>
    (await lab.owner().query('SELECT id FROM lab.item ORDER BY id')).map(({ id }) => id);

  test('that is rolled back leaves nothing of statements that nobody waited for', async () => {
    const kysely = open(openCluster(lab));
    await insert(kysely, 1);
    for (let round = 0; round < 20; round += 1) {
      await rejection(
        kysely.transaction().execute((trx) => Promise.all([1, 101, 102, 103].map((id) => insert(trx, id)))),
      );
      await rejection(
        kysely.transaction().execute(async (trx) => {
          for (const id of [111, 112, 113]) insert(trx, id).catch(() => undefined);
          throw new Error('undo');
        }),
      );
    }
    expect(await ids()).toEqual([1]);
  });

  test('that nobody ends keeps nothing alive once the cluster is closed', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const db = openCluster(lab);
    await open(db).startTransaction().execute();
    await db.close({ timeoutMs: 0 });
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('takes no statement after a COMMIT that failed', async () => {
    const kysely = open(openCluster(lab));
    for (const id of [1, 2]) await insert(kysely, id);
    const [first, second] = [
      await kysely.startTransaction().execute(),
      await kysely.startTransaction().execute(),
    ];
    const update = (trx: Kysely<Database>, id: number): Promise<unknown> =>
      trx.updateTable('item').set({ qty: 1 }).where('id', '=', id).execute();
    await update(first, 1);
    await update(second, 2);
    const ends = await Promise.allSettled([update(first, 2), update(second, 1)]);
    const [victim, other] = ends[0]?.status === 'rejected' ? [first, second] : [second, first];
    expect(await rejection(victim.commit().execute())).toMatchObject({ code: 'VIPSQL_DEADLOCK' });
    expect(await rejection(insert(victim, 141))).toMatchObject({ code: 'VIPSQL_TRANSACTION_CLOSED' });
    await victim.rollback().execute();
    await other.commit().execute();
    expect(await ids()).toEqual([1, 2]);
  });

  test('that is left open is rolled back at its deadline', async () => {
    const db = openCluster(lab, { transactionTimeoutMs: 1_000, pool: { max: 1 } });
    const kysely = open(db);
    await insert(kysely, 1);
    const left = await kysely.startTransaction().execute();
    await insert(left, 2);
    await eventually('the connection is free', () => db.status().primary.inUse === 0);
    await insert(kysely, 3);
    expect(await rejection(left.commit().execute())).toMatchObject({
      code: 'VIPSQL_TIMEOUT',
      phase: 'closure',
    });
    await left.rollback().execute();
    expect(await ids()).toEqual([1, 3]);
  });

  test('ends its streams when they are left, however long they are', async () => {
    const db = openCluster(lab, { pool: { max: 1 } });
    const kysely = open(db);
    for (let id = 0; id < 60; id += 1) await insert(kysely, id);
    const began = performance.now();
    await rejection(
      kysely.transaction().execute(async (trx) => {
        const endless = trx
          .selectFrom(['item as a', 'item as b', 'item as c', 'item as d', 'item as e'])
          .select(sql`REPEAT('x', 5000)`.as('x'))
          .stream();
        for await (const _ of endless) break;
        await insert(trx, 100);
      }),
    );
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await ids()).toHaveLength(60);
    expect(db.status().primary.inUse).toBe(0);
  });

  test('of a stream ends the statement when its signal fires', async () => {
    const db = openCluster(lab);
    const kysely = open(db);
    for (const id of [1, 2]) await insert(kysely, id);
    const controller = new AbortController();
    const reading = rejection(
      (async () => {
        const rows = kysely
          .selectFrom('item')
          .select(sql`SLEEP(20)`.as('slept'))
          .stream({ chunkSize: 1, signal: controller.signal });
        for await (const _ of rows);
      })(),
    );
    await sleep(300);
    controller.abort();
    await reading;
    await eventually('the connection is free', () => db.status().primary.inUse === 0);
  });
});

test('a transaction of the cluster is not committed after its deadline', async () => {
  await using lab = await startLab({ replicas: 0, redis: false });
  await lab.owner().query('CREATE TABLE lab.item (id INT PRIMARY KEY)');
  await lab.heal();
  const db = openCluster(lab, { transactionTimeoutMs: 500 });
  await db.ready();
  const late = await rejection(
    db.transaction(async (tx) => {
      await tx.execute('INSERT INTO item VALUES (1)');
      await sleep(700);
    }),
  );
  expect(late).toMatchObject({ code: 'VIPSQL_TIMEOUT', phase: 'closure', outcome: 'rolled-back' });
  expect(await db.primary().value('SELECT COUNT(*) FROM item')).toBe(0);
});
