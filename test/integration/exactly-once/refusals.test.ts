import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, ConfigError, ExactlyOnceError, type ExactlyOnceProblem } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

/** Resolves to why it was refused; nothing of it may have been executed. */
async function refusal(lab: Lab, db: Cluster): Promise<ExactlyOnceProblem> {
  let ran = false;
  const error = await rejection(
    db.transaction(
      async (tx) => {
        ran = true;
        await tx.execute('INSERT INTO lab.t VALUES (1)');
      },
      { exactlyOnce: true },
    ),
  );
  expect(error, String(error)).toBeInstanceOf(ExactlyOnceError);
  expect(ran).toBe(false);
  expect(await lab.owner().query('SELECT * FROM lab.t')).toEqual([]);
  return (error as ExactlyOnceError).problem;
}

describe.each(labVendors)('exactlyOnce on %s is refused', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
  });

  afterAll(() => lab?.stop());

  afterEach(async () => {
    await lab.owner().query("SET GLOBAL slave_exec_mode = 'STRICT'");
    await lab.owner().query('DROP TABLE IF EXISTS lab.vipsql_commit');
  });

  test('without its table, and the error says what to run', async () => {
    const db = openCluster(lab);
    const error = await rejection(db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true }));
    expect(error).toMatchObject({
      problem: 'no-table',
      code: 'VIPSQL_EXACTLY_ONCE',
      outcome: 'not-executed',
    });
    const [, ddl = ''] = /or run: (CREATE TABLE .*)/.exec((error as Error).message) ?? [];
    await lab.owner().query(ddl);
    await db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true });
  });

  test('with a table that is something else', async () => {
    const db = openCluster(lab);
    await lab.owner().query('CREATE TABLE lab.vipsql_commit (id VARBINARY(255) PRIMARY KEY)');
    expect(await refusal(lab, db)).toBe('wrong-table');
    expect(await rejection(db.createLedger())).toMatchObject({ problem: 'wrong-table' });
  });

  test('with a table in MyISAM', async () => {
    const db = openCluster(lab);
    await db.createLedger();
    await lab.owner().query('ALTER TABLE lab.vipsql_commit ENGINE = MyISAM');
    expect(await refusal(lab, db)).toBe('wrong-table');
  });

  test('where replication is IDEMPOTENT', async () => {
    const db = openCluster(lab);
    await db.createLedger();
    await lab.owner().query("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'");
    expect(await refusal(lab, db)).toBe('idempotent-replication');
  });

  test('when replication becomes IDEMPOTENT while it is used', async () => {
    const db = openCluster(lab);
    await db.createLedger();
    await db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true });
    await lab.owner().query("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'");
    const end = performance.now() + 15_000;
    let error: unknown;
    while (error === undefined && performance.now() < end) {
      await db
        .transaction((tx) => tx.query('SELECT SLEEP(0.1)'), { exactlyOnce: true })
        .catch((reason: unknown) => {
          error = reason;
        });
    }
    expect(error).toMatchObject({ problem: 'idempotent-replication' });
    expect(await refusal(lab, db)).toBe('idempotent-replication');
  });

  test('without a schema for its table', async () => {
    const db = openCluster(lab, { database: undefined } as never);
    expect(await refusal(lab, db)).toBe('no-schema');
    expect(await rejection(db.createLedger())).toMatchObject({ problem: 'no-schema' });
    const qualified = openCluster(lab, { database: undefined, exactlyOnce: { table: 'lab.ids' } } as never);
    await qualified.createLedger();
    await qualified.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true });
    expect(await lab.owner().query('SELECT committed FROM lab.ids')).toEqual([{ committed: 1 }]);
  });

  test('for a transaction that may last longer than half of what ids are kept', async () => {
    const db = openCluster(lab, { exactlyOnce: { retentionMs: 3_600_000 } });
    await db.createLedger();
    const run = (timeoutMs: number) =>
      db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true, timeoutMs });
    expect(await rejection(run(1_800_001))).toMatchObject({ problem: 'too-patient' });
    await run(1_800_000);
  });

  test('with an option that is none', async () => {
    const db = openCluster(lab);
    for (const exactlyOnce of ['yes', {}, { key: 5 }, { key: 'k', ttl: 5 }, null]) {
      const error = await rejection(db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce } as never));
      expect(error, String(exactlyOnce)).toBeInstanceOf(ConfigError);
    }
  });
});

describe.each(labVendors)('exactlyOnce on %s', (vendor) => {
  test('is refused where replication skips errors', async () => {
    const serverOptions = [vendor === 'mysql' ? '--replica-skip-errors=1062' : '--slave-skip-errors=1062'];
    await using lab = await startLab({ vendor, replicas: 0, redis: false, serverOptions });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
    const db = openCluster(lab);
    await db.createLedger();
    expect(await refusal(lab, db)).toBe('skipped-errors');
  });

  test('needs no more than ordinary privileges on its table', async () => {
    await using lab = await startLab({ vendor, replicas: 0, redis: false });
    await openCluster(lab).createLedger();
    await lab.owner().query("CREATE USER 'shop'@'%' IDENTIFIED BY 'shop'");
    await lab.owner().query("GRANT SELECT, INSERT, UPDATE, DELETE ON lab.vipsql_commit TO 'shop'@'%'");
    const db = openCluster(lab, { user: 'shop', password: 'shop' });
    expect(await db.transaction((tx) => tx.value('SELECT 5'), { exactlyOnce: true })).toBe(5);
  });
});
