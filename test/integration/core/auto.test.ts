import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, OutsideTransactionError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openServing, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('db.auto() on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({
      vendor,
      replicas: 2,
      redis: false,
      serverOptions: ['--log-bin-trust-function-creators=1'],
    });
    for (const statement of [
      'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
      'CREATE TABLE lab.item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40))',
      'INSERT INTO lab.stock VALUES (1, 5)',
      "INSERT INTO lab.item (name) VALUES ('one'), ('two'), ('three')",
      'CREATE FUNCTION lab.sell() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE lab.stock SET qty = qty - 1; RETURN 1; END',
      'CREATE PROCEDURE lab.items() SELECT id FROM lab.item ORDER BY id',
    ]) {
      await lab.owner().query(statement);
    }
    await lab.heal();
  });
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const replicas = (): string[] => lab.replicas.map(({ address }) => address);
  const primary = (): string => `${lab.vip.host}:${lab.vip.port}`;

  const open = (): Promise<Cluster> =>
    openServing(lab, { primaryOnly: ['stock'], consistency: { waitMs: 200 } });

  test.each([
    'SELECT * FROM item',
    'SELECT name FROM item WHERE id = (SELECT MAX(id) FROM item)',
    'WITH stock AS (SELECT 1 AS qty) SELECT qty FROM stock',
    'SHOW CREATE TABLE item',
  ])('has a replica answer %s', async (sql) => {
    const db = await open();
    const { rows, server, epoch } = await db.auto().queryWithInfo(sql);
    expect(rows.length).toBeGreaterThan(0);
    expect(replicas()).toContain(server);
    expect(epoch).toBeUndefined();
  });

  test.each([
    'SELECT * FROM item FOR UPDATE',
    'SELECT qty FROM stock',
    'SELECT i.id FROM item AS i JOIN `stock` AS s ON s.sku = i.id',
    'SELECT sell()',
    'SELECT @@global.read_only',
  ])('has the primary answer %s', async (sql) => {
    const db = await open();
    const { rows, server, epoch } = await db.auto().queryWithInfo(sql);
    expect(rows.length).toBeGreaterThan(0);
    expect(server).toBe(primary());
    expect(epoch).toBe(db.status().primary.epoch);
  });

  test('writes on the primary, with a CTE as well', async () => {
    const db = await open();
    const shop = db.auto();
    const { insertId, server, token } = await shop.execute('INSERT INTO item (name) VALUES (?)', ['new']);
    expect(server).toBe(primary());
    expect(token).toBeDefined();
    expect(await db.primary().one('SELECT name FROM item WHERE id = ?', [insertId])).toEqual({ name: 'new' });
    const removed =
      vendor === 'mysql'
        ? await shop.execute('WITH x AS (SELECT ? AS id) DELETE FROM item WHERE id IN (SELECT id FROM x)', [
            insertId,
          ])
        : await shop.execute('DELETE FROM item WHERE id IN (WITH x AS (SELECT ? AS id) SELECT id FROM x)', [
            insertId,
          ]);
    expect(removed).toMatchObject({ affectedRows: 1, server: primary() });
  });

  test('has the other methods of a primary handle', async () => {
    const db = await open();
    const shop = db.auto<{ id: number }>();
    expect(await shop.one('SELECT id FROM item WHERE id = ?', [1])).toEqual({ id: 1 });
    expect(await shop.maybeOne('SELECT id FROM item WHERE id = ?', [999])).toBeUndefined();
    expect(
      await shop.value('SELECT COUNT(*) FROM item WHERE id < ?', [3], { prepare: true }),
    ).toBeGreaterThan(0);
    const { sets, server } = await shop.call('CALL items()');
    expect(server).toBe(primary());
    expect(sets[0]).toContainEqual({ id: 1 });
  });

  test('streams from where the statement belongs', async () => {
    const db = await open();
    // Only replicas are read-only, and only they lack what is written while their appliers stand still.
    for (const { name } of lab.replicas) await lab.fault({ kind: 'stop-applier', server: name });
    const { insertId } = await db.primary().execute("INSERT INTO item (name) VALUES ('late')");
    const ids = async (sql: string): Promise<number> =>
      (await db.auto().stream(sql, [insertId]).toArray()).length;
    expect(await ids('SELECT id FROM item WHERE id = ?')).toBe(0);
    expect(await ids('SELECT id FROM item WHERE id = ? FOR UPDATE')).toBe(1);
    expect(await ids('SELECT item.id FROM item LEFT JOIN stock ON sku = 0 WHERE id = ?')).toBe(1);
  });

  test('reads what must be seen as db.replica() does: in a session, after a token, strongly', async () => {
    const db = await open();
    for (const { name } of lab.replicas) await lab.fault({ kind: 'stop-applier', server: name });
    const auto = db.auto();
    const read = 'SELECT id FROM item WHERE id = ?';
    const { insertId, token } = await auto.execute("INSERT INTO item (name) VALUES ('mine')");
    const found = async (options: Parameters<typeof auto.query>[2]): Promise<number> =>
      (await auto.query(read, [insertId], options)).length;
    expect(await found({})).toBe(0);
    expect(await found({ after: token })).toBe(1);
    expect(await found({ consistency: 'strong' })).toBe(1);
    await db.session(async () => {
      const { insertId: second } = await auto.execute("INSERT INTO item (name) VALUES ('ours')");
      const { rows, server } = await auto.queryWithInfo(read, [second]);
      expect([rows.length, server]).toEqual([1, primary()]);
      expect(await auto.query(read, [second], { consistency: 'eventual' })).toEqual([]);
      await lab.fault({ kind: 'start-applier', server: 'r1' });
      await eventually('a replica has it', async () =>
        replicas().includes((await auto.queryWithInfo(read, [second])).server),
      );
    });
  });

  test('has a stream see what the session that made it has written, whoever reads it', async () => {
    const db = await open();
    for (const { name } of lab.replicas) await lab.fault({ kind: 'stop-applier', server: name });
    const made = await db.session(async () => {
      const { insertId } = await db.auto().execute("INSERT INTO item (name) VALUES ('streamed')");
      return { stream: db.auto().stream('SELECT name FROM item WHERE id = ?', [insertId]) };
    });
    expect(await made.stream.toArray()).toEqual([{ name: 'streamed' }]);
  });

  test('refuses what contradicts itself for every statement alike', async () => {
    const db = await open();
    for (const sql of ['SELECT id FROM item', 'DELETE FROM item WHERE id = 999']) {
      expect(await rejection(db.auto().query(sql, [], { consistency: 'session' }))).toMatchObject({
        code: 'VIPSQL_CONFIG',
      });
      expect(await rejection(db.auto().query(sql, [], { after: 'nonsense' }))).toMatchObject({
        code: 'VIPSQL_INVALID_TOKEN',
      });
    }
    expect(await rejection(db.auto().query('SET @a = 1'))).toMatchObject({ code: 'VIPSQL_SESSION_STATE' });
    expect(await rejection(db.auto().query('COMMIT'))).toMatchObject({ code: 'VIPSQL_IMPLICIT_COMMIT' });
  });

  test('is refused inside a transaction closure, wherever the statement would go', async () => {
    const db = await open();
    await db.transaction(async () => {
      for (const sql of ['SELECT id FROM item', 'DELETE FROM item WHERE id = 999']) {
        const error = await rejection(db.auto().query(sql));
        expect(error).toBeInstanceOf(OutsideTransactionError);
        expect((error as Error).message).toContain('db.auto()');
      }
      expect(() => db.auto().stream('SELECT 1')).toThrow(OutsideTransactionError);
      expect(await db.auto().value('SELECT 1', [], { insideTransaction: true })).toBe(1);
    });
  });

  test('keeps to deadlines and signals on both', async () => {
    const db = await open();
    const abort = AbortSignal.abort();
    for (const sql of ['SELECT id FROM item', 'DELETE FROM item WHERE id = 999']) {
      expect(await rejection(db.auto().query(sql, [], { signal: abort }))).toMatchObject({
        code: 'VIPSQL_ABORTED',
      });
    }
    const locked = 'SELECT id FROM item WHERE id = 1 FOR UPDATE';
    await db.transaction(async (tx) => {
      await tx.query(locked);
      const late = rejection(db.auto().query(locked, [], { timeoutMs: 500, insideTransaction: true }));
      expect(await late).toMatchObject({ code: 'VIPSQL_TIMEOUT' });
    });
  });
});
