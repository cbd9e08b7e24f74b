import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { InDoubtError, QueryKilledError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('a statement that is killed on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
    await lab.owner().query('CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)');
    await lab.owner().query('CREATE TABLE lab.locks (id INT PRIMARY KEY)');
  });

  afterEach(async () => {
    await lab.heal();
    await lab.owner().query('DELETE FROM lab.stock');
    await lab.heal();
  });

  afterAll(() => lab?.stop());

  const update = 'UPDATE stock SET qty = qty - 1 WHERE sku = 1';

  /** The id of the session in which the update waits for the row. */
  async function waitingUpdate(): Promise<number> {
    let id = 0;
    await eventually('the update waits', async () => {
      const [row] = await lab
        .owner()
        .query<{ id: number }>(
          "SELECT id FROM information_schema.processlist WHERE info LIKE 'UPDATE stock%'",
        );
      id = Number(row?.id ?? 0);
      return id > 0;
    });
    return id;
  }

  /** Holds the row until the lab is healed or the server ends. */
  async function lockRow(): Promise<void> {
    await lab.owner().query('INSERT INTO lab.stock VALUES (1, 10)');
    await lab.heal();
    await lab.owner().query('BEGIN');
    await lab.owner().query('SELECT qty FROM lab.stock WHERE sku = 1 FOR UPDATE');
  }

  const quantity = async (): Promise<unknown> =>
    (await lab.owner().query('SELECT qty FROM lab.stock WHERE sku = 1'))[0]?.qty;

  test('at its deadline gives no rows, though MySQL has some for a SLEEP that was killed', async () => {
    const db = openCluster(lab);
    await db.ready();
    const sleeping = 'SELECT SLEEP(20) AS s';
    const limit = { timeoutMs: 400 };
    const errors = await Promise.all([
      rejection(db.primary().query(sleeping, [], limit)),
      rejection(db.replica().query(sleeping, [], limit)),
    ]);
    for (const error of errors) expect(error).toMatchObject({ code: 'VIPSQL_TIMEOUT', phase: 'answer' });
  });

  test('by a person is reported, and not sent again', async () => {
    const db = openCluster(lab);
    await lockRow();
    const failed = rejection(db.primary().execute(update));
    const id = await waitingUpdate();
    await lab.owner().query(`KILL QUERY ${id}`);
    const error = await failed;
    expect(error).toBeInstanceOf(QueryKilledError);
    expect(error).toMatchObject({ outcome: 'rolled-back', attempts: 1 });
    await lab.owner().query('ROLLBACK');
    expect(await quantity()).toBe(10);
    const { rows } = await db.primary().queryWithInfo('SELECT CONNECTION_ID() AS id');
    expect(rows, 'the connection is kept').toEqual([{ id }]);
  });

  test('by a person in a transaction is reported as rolled back, all of it', async () => {
    const db = openCluster(lab);
    await lockRow();
    const failed = rejection(
      db.transaction(async (tx) => {
        await tx.execute('INSERT INTO locks VALUES (1)');
        await tx.execute(update);
      }),
    );
    await lab.owner().query(`KILL QUERY ${await waitingUpdate()}`);
    const error = await failed;
    expect(error).toBeInstanceOf(QueryKilledError);
    expect(error).toMatchObject({ outcome: 'rolled-back', attempts: 1 });
    await lab.owner().query('ROLLBACK');
    expect(await lab.owner().query('SELECT id FROM lab.locks')).toEqual([]);
  });

  /** Keeps commits waiting until the lab is healed or the server ends. */
  async function lockServer(): Promise<void> {
    await lab.owner().query('INSERT INTO lab.stock VALUES (1, 10)');
    await lab.heal();
    await lab.owner().query('FLUSH TABLES WITH READ LOCK');
  }

  /** MySQL's shutdown takes 10 s while idle sessions are left, and the VIP moves after it. */
  const patienceMs = 30_000;

  const shutDown = async (): Promise<void> => {
    await waitingUpdate();
    await lab.fault({ kind: 'stop', server: lab.owner().name });
    await lab.fault({ kind: 'failover' });
  };

  test.each([
    ['a row', lockRow],
    ['the server', lockServer],
  ])(
    'by a shutdown while it waits for %s is done elsewhere or in doubt, never called killed',
    async (_, lock) => {
      const db = openCluster(lab);
      await lock();
      const ending = db
        .primary({ timeoutMs: patienceMs })
        .execute(update)
        .then(
          () => 'done',
          (error: unknown) => error,
        );
      await shutDown();
      const ended = await ending;
      if (ended === 'done') expect(await quantity()).toBe(9);
      else expect(ended).toBeInstanceOf(InDoubtError);
    },
  );

  test('by a shutdown in a transaction lets the transaction run again on the next primary', async () => {
    const db = openCluster(lab);
    await lockRow();
    const done = db.transaction((tx) => tx.execute(update), { timeoutMs: patienceMs });
    await shutDown();
    expect(await done).toMatchObject({ affectedRows: 1, epoch: 2 });
    expect(await quantity()).toBe(9);
  });
});
