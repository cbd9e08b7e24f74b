import { promisify } from 'node:util';
import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { type KnexFailure, openKnex, openStock } from './knex-lab.ts';

/** Takes minutes; SLEEP is no use, which MySQL ends without an error. */
const slow =
  'SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c';

const types = `CREATE TABLE lab.typed (
  id INT PRIMARY KEY, big BIGINT, amount DECIMAL(10, 2), day DATE, moment DATETIME(3), span TIME,
  bytes BLOB, words TEXT, doc JSON, flag TINYINT(1), ratio DOUBLE)`;

describe.each(labVendors)('Knex on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    for (const statement of [
      'CREATE TABLE lab.item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) UNIQUE, qty INT DEFAULT 0)',
      types,
      "INSERT INTO lab.typed VALUES (1, 9007199254740993, 12.50, '2026-02-28', '2026-02-28 23:59:58.123', '12:34:56', X'00FF', 'ä', '{\"a\": [1]}', 1, 0.5)",
    ]) {
      await lab.owner().query(statement);
    }
  });

  afterAll(() => lab?.stop());

  /** Begins each test with an empty table. */
  async function emptied(db: Cluster, config?: Knex.Config): Promise<Knex> {
    const knex = openKnex(db, config);
    await knex('item').delete();
    return knex;
  }

  test('writes and reads rows with the answers that its own client gives', async () => {
    const knex = await emptied(openCluster(lab));
    const [id] = await knex('item').insert({ name: 'pen', qty: 3 });
    expect(id).toBeGreaterThan(0);
    expect(await knex('item').where({ id }).update({ qty: 5 })).toBe(1);
    expect(await knex('item').where({ id }).increment('qty', 2)).toBe(1);
    expect(await knex('item').first('name', 'qty')).toEqual({ name: 'pen', qty: 7 });
    expect(await knex('item').pluck('name')).toEqual(['pen']);
    const [rows, fields] = await knex.raw('SELECT ?? FROM item WHERE name IN (?)', ['qty', ['pen', 'ink']]);
    expect(rows).toEqual([{ qty: 7 }]);
    expect(fields[0].name).toBe('qty');
    expect(await knex('item').where({ id }).del()).toBe(1);
    expect(await knex('item').first()).toBeUndefined();
  });

  const connections: object[] = [
    {},
    { supportBigNumbers: true },
    { supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, decimalNumbers: true },
    { dateStrings: ['DATE'], jsonStrings: true },
    {
      typeCast: (field: { type: string; string(): string | null }, next: () => unknown) =>
        field.type === 'TINY' ? field.string() === '1' : next(),
    },
  ];

  test.each(connections)('gives the values that its own client gives with %j', async (connection) => {
    const stock = openStock(lab, connection);
    const knex = openKnex(openCluster(lab), { connection });
    const expected = await stock('typed');
    expect(await knex('typed')).toEqual(expected);
    expect(await knex('typed').options({ nestTables: true })).toEqual(
      await stock('typed').options({ nestTables: true }),
    );
    expect(await knex('typed').options({ rowsAsArray: true })).toEqual(
      await stock('typed').options({ rowsAsArray: true }),
    );
    const streamed: unknown[] = [];
    for await (const row of knex('typed').stream()) streamed.push(row);
    expect(streamed).toEqual(expected);
  });

  test('leaves the values of db.primary() as they were, on the same cluster', async () => {
    const db = openCluster(lab);
    const before = await db.primary().query('SELECT * FROM typed');
    await openKnex(db)('typed');
    expect(await db.primary().query('SELECT * FROM typed')).toEqual(before);
  });

  test('fails with the error of its own client, and with the one of vipsql as its cause', async () => {
    const knex = await emptied(openCluster(lab));
    const stock = openStock(lab);
    await knex('item').insert({ name: 'pen' });
    const insert = (on: Knex): Promise<unknown> =>
      rejection(on('item').insert({ name: 'pen', qty: 1 }).then());
    const expected = (await insert(stock)) as KnexFailure;
    const error = (await insert(knex)) as KnexFailure;
    expect(error.message).toBe(expected.message);
    const { code, errno, sqlState } = expected;
    expect(error).toMatchObject({ name: 'Error', code, errno, sqlState, sql: expected.sql });
    expect(error.cause).toMatchObject({ code: 'VIPSQL_DUPLICATE_KEY', outcome: 'statement-rolled-back' });
  });

  test('hands rows on through postProcessResponse and names through wrapIdentifier', async () => {
    const knex = await emptied(openCluster(lab), {
      postProcessResponse: (result) =>
        Array.isArray(result) ? result.map((row) => ({ ...row, seen: true })) : result,
      wrapIdentifier: (name, wrap) => wrap(name.toLowerCase()),
    });
    await knex('ITEM').insert({ NAME: 'pen' });
    expect(await knex('ITEM').select('NAME')).toEqual([{ name: 'pen', seen: true }]);
  });

  test('sets up each connection of its pool with afterCreate', async () => {
    const ids: number[] = [];
    const knex = openKnex(openCluster(lab), {
      pool: {
        min: 0,
        max: 3,
        afterCreate(connection: Raw, done: (error: Error | null, connection: Raw) => void) {
          ids.push(connection.threadId);
          promisify(connection.query)
            .call(connection, 'SET @mark = ?', ['mine'])
            .then(() => done(null, connection), done as (error: Error) => void);
        },
      },
    });
    const asked = await Promise.all(
      Array.from({ length: 6 }, () => knex.raw('SELECT @mark AS mark, CONNECTION_ID() AS id')),
    );
    const rows = asked.map(([[row]]) => row);
    expect(new Set(rows.map(({ mark }) => mark))).toEqual(new Set(['mine']));
    expect(ids).toEqual(expect.arrayContaining([...new Set(rows.map(({ id }) => id))]));
    expect(ids.length).toBeLessThanOrEqual(3);
  });

  test('lends a connection in the shape of mysql2', async () => {
    const knex = openKnex(openCluster(lab));
    const connection = await knex.client.acquireConnection();
    expect(connection.format('SELECT ??, ?', ['a', "b'"])).toBe("SELECT `a`, 'b\\''");
    expect(connection.escape('a')).toBe("'a'");
    await promisify(connection.ping).call(connection);
    const [rows] = await connection.promise().execute('SELECT ? AS n, CONNECTION_ID() AS id', [5]);
    expect(rows).toEqual([{ n: 5, id: connection.threadId }]);
    await knex.client.releaseConnection(connection);
  });

  test('ends a query that is cancelled on the server, and goes on with the connection', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db, { pool: { min: 0, max: 1 } });
    const error = await rejection(knex.raw(slow).timeout(200, { cancel: true }).then());
    expect(error).toMatchObject({ name: 'KnexTimeoutError', timeout: 200 });
    const processes = await db
      .primary<{ INFO: string | null }>()
      .query('SELECT INFO FROM information_schema.processlist');
    expect(processes.filter(({ INFO }) => INFO === slow)).toEqual([]);
    expect(await knex.raw('SELECT 1 AS n').then(([rows]) => rows)).toEqual([{ n: 1 }]);
  });

  test('never sends what was given up while it waited for its turn', async () => {
    const knex = await emptied(openCluster(lab), { pool: { min: 0, max: 1 } });
    const connection = await knex.client.acquireConnection();
    const sleeping = knex.raw('DO SLEEP(1)').connection(connection).then();
    const late = rejection(knex('item').insert({ name: 'late' }).connection(connection).timeout(100).then());
    expect(await late).toMatchObject({ name: 'KnexTimeoutError' });
    await knex.client.releaseConnection(connection);
    await rejection(sleeping).catch(() => undefined);
    expect(await knex('item').where({ name: 'late' })).toEqual([]);
  });

  test('waits for a connection no longer than acquireConnectionTimeout', async () => {
    const knex = openKnex(openCluster(lab), { acquireConnectionTimeout: 200, pool: { min: 0, max: 1 } });
    const held = await knex.client.acquireConnection();
    const error = await rejection(knex('item').select().then());
    expect(error).toMatchObject({ name: 'KnexTimeoutError' });
    expect((error as Error).message).toContain('Timeout acquiring a connection');
    await knex.client.releaseConnection(held);
    expect(await knex.raw('SELECT 1').then(([rows]) => rows)).toHaveLength(1);
  });

  test('stops a statement after timeoutMs, and says so', async () => {
    const knex = openKnex(openCluster(lab), {}, { timeoutMs: 300 });
    const error = (await rejection(knex.raw(slow).then())) as KnexFailure;
    expect(error.message.startsWith(`${slow} - `)).toBe(true);
    expect(error.cause).toMatchObject({ code: 'VIPSQL_TIMEOUT' });
  });

  test('lets a stream be left, and has its connection back', async () => {
    const knex = openKnex(openCluster(lab), { pool: { min: 0, max: 1 }, acquireConnectionTimeout: 2_000 });
    const sql = 'SELECT a.TABLE_NAME FROM information_schema.columns a, information_schema.columns b';
    for await (const _ of knex.raw(sql).stream()) break;
    expect(await knex.raw('SELECT 1 AS n').then(([rows]) => rows)).toEqual([{ n: 1 }]);
  });

  test('gives the connection of a stream back once, whoever waits for it', async () => {
    const knex = openKnex(openCluster(lab), { pool: { min: 0, max: 1 } });
    for (let i = 0; i < 10; i += 1) {
      const stream = knex.raw('SELECT 1 AS n').stream();
      const waiting = knex.transaction(async (trx) => {
        await trx.raw('DO SLEEP(0.01)');
        expect(knex.client.pool.numUsed()).toBe(1);
        expect(knex.client.pool.numFree()).toBe(0);
        return await trx.raw('SELECT 2 AS n').then(([rows]) => rows);
      });
      for await (const row of stream) expect(row).toEqual({ n: 1 });
      expect(await waiting).toEqual([{ n: 2 }]);
    }
  });

  test('migrates, and ends its pool without the cluster', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db);
    const migrationSource: Knex.MigrationSource<string> = {
      getMigrations: async () => ['first'],
      getMigrationName: (name) => name,
      getMigration: async () => ({
        up: (on) => on.schema.createTable('migrated', (table) => table.increments()),
        down: (on) => on.schema.dropTable('migrated'),
      }),
    };
    expect((await knex.migrate.latest({ migrationSource }))[1]).toEqual(['first']);
    expect(await knex.schema.hasColumn('migrated', 'id')).toBe(true);
    expect((await knex.migrate.latest({ migrationSource }))[1]).toEqual([]);
    await knex.migrate.rollback({ migrationSource });
    expect(await knex.schema.hasTable('migrated')).toBe(false);
    await knex.destroy();
    await eventually('its connections have ended', async () => {
      const [row] = await db
        .primary()
        .query('SELECT COUNT(*) AS n FROM information_schema.processlist WHERE USER = ?', [lab.user]);
      return Number(row?.n) <= 3;
    });
    expect(await db.primary().value('SELECT 1')).toBe(1);
  });

  test('lets migrations take as long as they take, and nothing else', async () => {
    const knex = openKnex(openCluster(lab, { timeoutMs: 800, transactionTimeoutMs: 800 }));
    // Longer than the limit; an UPDATE that is stopped fails, which a SLEEP by itself may not.
    const longUpdate = 'UPDATE typed SET flag = 1 WHERE SLEEP(1.5) = 0';
    const migrate = (transaction: boolean): Promise<unknown> =>
      knex.migrate.latest({
        migrationSource: {
          getMigrations: async () => ['long', 'longer'].slice(0, transaction ? 1 : 2),
          getMigrationName: (name: string) => name,
          getMigration: async () => ({
            config: { transaction },
            up: async (on: Knex) => {
              await on.raw(longUpdate);
            },
            down: async () => {},
          }),
        },
      });
    await migrate(true);
    await migrate(false);
    const error = (await rejection(knex.raw(longUpdate).then())) as KnexFailure;
    expect(error.cause.code).toBe('VIPSQL_TIMEOUT');
    await knex.schema.dropTable('knex_migrations').dropTable('knex_migrations_lock');
  });

  test('goes to the cluster whatever its connection says, unless that cannot be or has to be encrypted', async () => {
    const db = openCluster(lab);
    const { vip, user } = lab;
    const own = { host: vip.host, port: vip.port, user };
    const refused = async (connection: object | (() => object)): Promise<KnexFailure> =>
      (await rejection(
        openKnex(db, { connection: connection as object })
          .raw('SELECT 1')
          .then(),
      )) as KnexFailure;
    expect(
      await openKnex(db, { connection: own })
        .raw('SELECT 1 AS n')
        .then(([rows]) => rows),
    ).toEqual([{ n: 1 }]);
    const nobody = { ...own, host: '127.0.0.1', port: 601 };
    for (const connection of [nobody, async () => nobody]) {
      expect(await refused(connection)).toMatchObject({
        message: 'connect ECONNREFUSED 127.0.0.1:601',
        code: 'ECONNREFUSED',
      });
    }
    for (const connection of [
      { ...own, ssl: { rejectUnauthorized: false } },
      async () => ({ multipleStatements: true }),
    ]) {
      expect(await refused(connection)).toMatchObject({ cause: { code: 'VIPSQL_CONFIG' } });
    }
    const { host, port } = lab.owner();
    const warnings: string[] = [];
    const knex = openKnex(db, {
      connection: { host, port, user: 'reports' },
      log: { warn: (message: string) => warnings.push(message) },
    });
    const [[row]] = await knex.raw('SELECT CURRENT_USER() AS account');
    expect(row.account).toContain(`${user}@`);
    await knex('item').select('id').replica();
    expect(warnings).toHaveLength(2);
  });

  test('is refused what vipsql cannot do, by its name', () => {
    const db = openCluster(lab);
    expect(() => openKnex(db, { connection: { multipleStatements: true } })).toThrow(
      /connection\.multipleStatements/,
    );
    expect(() => openKnex(db, { connectionPool: {} as never })).toThrow(/connectionPool/);
    expect(() => openKnex(db, {}, { timeoutMs: 0 })).toThrow(/timeoutMs/);
  });
});

interface Raw {
  readonly threadId: number;
  query(sql: string, values: unknown[], callback: (error: Error | null) => void): void;
}
