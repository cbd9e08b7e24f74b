import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ClusterConfig, PrimaryRequiredError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import {
  eventually,
  openCluster,
  openServing,
  recordEvents,
  rejection,
  sleep,
} from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('views over primaryOnly tables on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({
      vendor,
      replicas: 1,
      redis: false,
      serverOptions: ['--log-bin-trust-function-creators=1'],
    });
    for (const statement of [
      'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
      'CREATE TABLE lab.item (sku INT PRIMARY KEY, name VARCHAR(40))',
      'CREATE DATABASE other',
      'INSERT INTO lab.stock VALUES (1, 5)',
      "INSERT INTO lab.item VALUES (1, 'tea')",
      'CREATE FUNCTION lab.left_of(s INT) RETURNS INT READS SQL DATA RETURN (SELECT qty FROM lab.stock WHERE sku = s)',
      "CREATE VIEW lab.names AS SELECT sku, UPPER(name) AS name, DATE_FORMAT('2026-01-02', '%Y') AS y FROM lab.item",
      'CREATE VIEW lab.names_again AS SELECT n.name FROM lab.names AS n JOIN lab.item USING (sku)',
      'CREATE VIEW lab.plain AS SELECT * FROM lab.stock',
      'CREATE VIEW lab.joined AS SELECT i.name, s.qty FROM lab.item AS i LEFT JOIN lab.stock AS s USING (sku)',
      'CREATE VIEW lab.derived AS SELECT name FROM lab.item WHERE sku IN (SELECT sku FROM lab.stock WHERE qty > 0)',
      'CREATE VIEW lab.common AS WITH s AS (SELECT * FROM lab.stock) SELECT * FROM s',
      'CREATE VIEW lab.united AS SELECT sku FROM lab.item UNION ALL SELECT sku FROM lab.stock',
      'CREATE VIEW lab.nested AS SELECT name, qty FROM lab.joined',
      'CREATE VIEW lab.nested_deeply AS SELECT n.qty FROM lab.item JOIN lab.nested AS n USING (name)',
      'CREATE VIEW lab.called AS SELECT sku, lab.left_of(sku) AS qty FROM lab.item',
      'CREATE VIEW other.foreign_one AS SELECT qty FROM lab.stock',
      'CREATE VIEW other.foreign_names AS SELECT name FROM lab.item',
      "CREATE VIEW lab.`odd ``name's` AS SELECT qty FROM lab.stock",
      "CREATE USER blind@'%' IDENTIFIED BY 'blind'",
      "GRANT SELECT, INSERT ON lab.* TO blind@'%'",
      `GRANT SELECT, SHOW VIEW ON other.* TO '${lab.user}'@'%'`,
    ]) {
      await lab.owner().query(statement);
    }
    await lab.heal();
  });
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const primary = (): string => `${lab.vip.host}:${lab.vip.port}`;

  const open = (config: Partial<ClusterConfig> = {}): Promise<Cluster> =>
    openServing(lab, { primaryOnly: ['stock'], ...config });

  test.each([
    ['SELECT * FROM plain', 'stock'],
    ['SELECT * FROM lab.`plain` AS p', 'stock'],
    ['SELECT name FROM joined', 'stock'],
    ['SELECT name FROM derived', 'stock'],
    ['SELECT * FROM common', 'stock'],
    ['SELECT * FROM united', 'stock'],
    ['SELECT name FROM nested', 'joined'],
    ['SELECT * FROM item WHERE 1 = (SELECT COUNT(*) FROM nested_deeply)', 'joined'],
    ['SELECT * FROM other.foreign_one', 'stock'],
    ["SELECT * FROM `odd ``name's`", 'stock'],
    ['SELECT qty FROM called', 'left_of'],
  ])('%s: a replica is not asked, and db.auto() asks the primary', async (sql, what) => {
    const db = await open();
    const error = await rejection(db.replica().query(sql as string));
    expect(error).toBeInstanceOf(PrimaryRequiredError);
    expect((error as Error).message).toContain(what);
    // Known from now on.
    expect(await rejection(db.replica().query(sql as string))).toBeInstanceOf(PrimaryRequiredError);
    expect(() => db.replica().stream(sql as string)).toThrow(PrimaryRequiredError);
    expect((await db.auto().queryWithInfo(sql)).server).toBe(primary());
    const snapshot = db.replica().snapshot((reads) => reads.query(sql as string));
    expect(await rejection(snapshot)).toBeInstanceOf(PrimaryRequiredError);
  });

  test.each(['SELECT * FROM item', 'SELECT * FROM names', 'SELECT * FROM names_again'])(
    '%s: a replica answers',
    async (sql) => {
      const db = await open();
      const [replica] = lab.replicas;
      for (const handle of [db.replica(), db.auto()]) {
        for (let turn = 0; turn < 2; turn += 1) {
          expect((await handle.queryWithInfo(sql as string)).server).toBe(replica?.address);
        }
      }
    },
  );

  test('the first statement of a stream or snapshot waits for the look-up as well', async () => {
    for (const use of [
      async (db: Cluster) => await db.replica().stream('SELECT * FROM plain').toArray(),
      (db: Cluster) => db.replica().snapshot((reads) => reads.query('SELECT * FROM plain')),
    ]) {
      expect(await rejection(use(await open()))).toBeInstanceOf(PrimaryRequiredError);
    }
    const db = await open();
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    await lab.owner().query('UPDATE lab.stock SET qty = qty + 1 WHERE sku = 1');
    const [row] = await lab.owner().query<{ qty: number }>('SELECT qty FROM lab.stock WHERE sku = 1');
    expect(await db.auto().stream('SELECT qty FROM plain').toArray()).toEqual([row]);
  });

  test('a view that was not there is noticed', async () => {
    const db = await open();
    expect(await rejection(db.replica().query('SELECT * FROM late'))).toMatchObject({ errno: 1146 });
    await lab.owner().query('CREATE VIEW lab.late AS SELECT qty FROM lab.stock');
    await lab.heal();
    await eventually('it is refused', () => isRefused(db, 'SELECT * FROM late'), 30_000);
  });

  test('a view that is made to hide one is noticed without being met anew', async () => {
    await lab.owner().query('CREATE OR REPLACE VIEW lab.changing AS SELECT sku FROM lab.item');
    await lab.heal();
    const db = await open();
    expect(await db.replica().query('SELECT * FROM changing')).toHaveLength(1);
    await lab.owner().query('CREATE OR REPLACE VIEW lab.changing AS SELECT sku FROM lab.stock');
    await eventually('it is refused', () => isRefused(db, 'SELECT * FROM changing'), 30_000);
  });

  test('many who ask at the same time share one look', async () => {
    const db = await open({ pool: { max: 20 } });
    const before = await lookUps();
    const errors = await Promise.all(
      Array.from({ length: 50 }, () => rejection(db.replica().query('SELECT * FROM plain'))),
    );
    for (const error of errors) expect(error).toBeInstanceOf(PrimaryRequiredError);
    expect((await lookUps()) - before).toBeLessThan(20);
  });

  test('a name that was not met before is refused while no primary answers, and those that were are served', async () => {
    const db = await open();
    await db
      .replica()
      .query('SELECT * FROM other.foreign_one')
      .catch(() => {});
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    expect(await rejection(db.replica().query('SELECT * FROM other.foreign_one'))).toMatchObject({
      message: expect.stringContaining('reads lab.stock'),
    });
    const foreign = 'SELECT * FROM other.foreign_names';
    const startedAt = performance.now();
    const error = await rejection(db.replica().query(foreign, [], { timeoutMs: 700 }));
    expect(error).toBeInstanceOf(PrimaryRequiredError);
    expect((error as Error).message).toContain('could not be asked');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    const abort = AbortSignal.timeout(300);
    expect(await rejection(db.replica().query(foreign, [], { signal: abort }))).toMatchObject({
      code: 'VIPSQL_ABORTED',
    });
  });

  test('the names of the database are known soon after the primary has opened, and need none then', async () => {
    const db = await open();
    await sleep(1_000);
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    for (const sql of ['SELECT * FROM item', 'SELECT * FROM names', 'SELECT * FROM names_again']) {
      expect(await db.replica().query(sql as string)).toHaveLength(1);
    }
    const error = await rejection(db.replica().query('SELECT * FROM nested'));
    expect((error as Error).message).toContain('reads lab.stock');
  });

  test('a definition that this account may not read counts, and the event names the grant', async () => {
    const db = openCluster(lab, {
      primaryOnly: ['stock'],
      user: 'blind',
      password: 'blind',
      replicas: lab.config().replicas ?? [],
    });
    await db.ready();
    const events = recordEvents(db, 'view:unreadable');
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await rejection(db.replica().query('SELECT * FROM names'))).toBeInstanceOf(PrimaryRequiredError);
    }
    expect(events).toMatchObject([{ view: 'lab.names', remedy: expect.stringContaining('SHOW VIEW') }]);
    expect((await db.auto().queryWithInfo('SELECT * FROM names')).server).toBe(primary());
  });

  test('without primaryOnly nothing is looked up', async () => {
    const db = await open({ primaryOnly: [] });
    const before = await lookUps();
    await db.replica().query('SELECT * FROM plain');
    await db.auto().query('SELECT * FROM plain');
    expect((await lookUps()) - before).toBeLessThan(10);
  });

  async function isRefused(db: Cluster, sql: string): Promise<boolean> {
    const error = await db
      .replica()
      .query(sql)
      .catch((reason: unknown) => reason);
    return error instanceof PrimaryRequiredError;
  }

  /** Statements that the primary has answered; the heartbeat asks as well. */
  async function lookUps(): Promise<number> {
    const [row] = await lab.owner().query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_select'");
    return Number(row?.Value);
  }
});
