import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createPool, mysql2For } from '../../../src/adapters/mysql2/index.ts';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('a connection in the shape of mysql2 on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.item (id INT PRIMARY KEY, qty INT NOT NULL)');
  });

  afterEach(async () => {
    await lab.heal();
    await lab.owner().query('DELETE FROM lab.item');
  });
  afterAll(() => lab?.stop());

  const borrow = async (db: Cluster): Promise<PoolConnection> =>
    await createPool(db).promise().getConnection();
  const rowsOf = async (connection: PoolConnection, sql: string): Promise<RowDataPacket[]> =>
    (await connection.query<RowDataPacket[]>(sql))[0];
  const kill = (id: number): Promise<unknown> => lab.owner().query(`KILL ${id}`);

  test('prepares a statement and executes it with different values, with promises', async () => {
    const connection = await borrow(openCluster(lab));
    const insert = await connection.prepare('INSERT INTO item VALUES (?, ?)');
    await insert.execute([1, 10]);
    await insert.execute([2, 20]);
    await insert.close();
    const read = await connection.prepare('SELECT qty FROM item ORDER BY id');
    expect((await read.execute([]))[0]).toEqual([{ qty: 10 }, { qty: 20 }]);
    const closed = await rejection(insert.execute([3, 30]));
    expect(closed).toMatchObject({ code: 'VIPSQL_CLOSED' });
    connection.release();
    const late = await rejection(read.execute([]));
    expect(late).toMatchObject({ code: 'VIPSQL_CLOSED' });
    expect(await rejection(connection.prepare('SELECT 1'))).toMatchObject({ code: 'VIPSQL_CLOSED' });
  });

  test('prepares with callbacks, and says when it is executed that a text is wrong', async () => {
    const pool = createPool(openCluster(lab));
    const rows = await new Promise((resolve, reject) => {
      pool.getConnection((failed, connection) => {
        if (failed !== null) return reject(failed);
        connection.prepare('SELECT ? + 1 AS n', (error, statement) => {
          if (error !== null) return reject(error);
          statement.execute([4], (problem: Error | null, found: unknown) => {
            connection.release();
            if (problem === null) resolve(found);
            else reject(problem);
          });
        });
      });
    });
    expect(rows).toEqual([{ n: 5 }]);
    const connection = await pool.promise().getConnection();
    const wrong = await connection.prepare('SELEC 1');
    expect(await rejection(wrong.execute([]))).toMatchObject({ code: 'ER_PARSE_ERROR' });
    connection.release();
  });

  test('executes what was prepared before a failover on the new primary', async () => {
    const db = openCluster(lab);
    const connection = await borrow(db);
    const read = await connection.prepare('SELECT @@server_id AS id');
    const [[before]] = (await read.execute([])) as [RowDataPacket[], unknown];
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    const [[after]] = (await read.execute([])) as [RowDataPacket[], unknown];
    expect(after?.id).not.toBe(before?.id);
    connection.release();
  });

  test('takes back by reset what was changed in the session, a transaction and its locks included', async () => {
    const db = openCluster(lab);
    const connection = await borrow(db);
    await connection.query('INSERT INTO item VALUES (1, 1)');
    await connection.query('SET @mark = 1');
    await connection.query('CREATE TEMPORARY TABLE scratch (n INT)');
    await connection.query("SELECT GET_LOCK('mine', 0)");
    await connection.beginTransaction();
    await connection.query('UPDATE item SET qty = 2');
    const { threadId } = connection;
    await connection.reset();
    expect(connection.threadId).toBe(threadId);
    expect(
      await rowsOf(connection, "SELECT @mark AS mark, IS_FREE_LOCK('mine') AS free, @@time_zone AS zone"),
    ).toEqual([{ mark: null, free: 1, zone: '+00:00' }]);
    expect(await rejection(connection.query('SELECT * FROM scratch'))).toMatchObject({
      code: 'ER_NO_SUCH_TABLE',
    });
    expect(await rowsOf(connection, 'SELECT qty FROM item')).toEqual([{ qty: 1 }]);
    await db.primary().execute('UPDATE item SET qty = 3');
    connection.release();
  });

  test('begins anew by reset after it was lost', async () => {
    const connection = await borrow(openCluster(lab));
    await connection.query('SET @mark = 1');
    const { threadId } = connection;
    await kill(threadId);
    await eventually(
      'the loss',
      async () => (await rejection(connection.query('SELECT @mark')).catch(() => undefined)) !== undefined,
    );
    await connection.reset();
    expect(await rowsOf(connection, 'SELECT @mark AS mark')).toEqual([{ mark: null }]);
    expect(connection.threadId).not.toBe(threadId);
    connection.release();
  });

  test('resets nothing after it was given back', async () => {
    const db = openCluster(lab, { pool: { max: 1 } });
    const first = await borrow(db);
    const { threadId } = first;
    first.release();
    const second = await borrow(db);
    expect(second.threadId).toBe(threadId);
    await second.query('SET @mark = 1');
    expect(await rejection(first.reset())).toMatchObject({ code: 'VIPSQL_CLOSED' });
    expect(await rowsOf(second, 'SELECT @mark AS mark')).toEqual([{ mark: 1 }]);
    second.release();
  });

  test('refuses changeUser and what else there is not, by its name, with promises and with callbacks', async () => {
    const db = openCluster(lab);
    const core = createPool(db);
    const connection = await core.promise().getConnection();
    const own = mysql2For(db).createConnection();
    const changing = await rejection(connection.changeUser({ user: lab.user }));
    expect(changing).toMatchObject({ code: 'VIPSQL_CONFIG' });
    expect(String(changing)).toContain('changeUser: is not part of vipsql/mysql2');
    const isMissing = { code: 'VIPSQL_CONFIG' };
    for (const each of [connection, own, own.promise()] as unknown as Record<
      string,
      (sql: string) => void
    >[]) {
      for (const name of ['unprepare', 'pause', 'resume', 'createBinlogStream']) {
        expect(() => each[name]?.('SELECT 1')).toThrow(expect.objectContaining(isMissing));
      }
    }
    expect(connection.format('SELECT ??, ?', ['a', "b'"])).toBe("SELECT `a`, 'b\\''");
    connection.release();
    own.promise().destroy();
    await eventually('no connection in use', () => db.status().primary.inUse === 0);
  });

  test('tells by an error event that it was lost with what had been begun on it', async () => {
    const connection = await borrow(openCluster(lab));
    const told: unknown[] = [];
    connection.on('error', (error) => told.push(error));
    await connection.beginTransaction();
    await connection.query('INSERT INTO item VALUES (1, 1)');
    await kill(connection.threadId);
    await eventually('the event', () => told.length > 0);
    expect(told).toMatchObject([{ cause: { code: 'VIPSQL_CONNECTION_LOST' } }]);
    expect(await rejection(connection.commit())).toMatchObject({ cause: { code: 'VIPSQL_CONNECTION_LOST' } });
    connection.release();
    expect(await lab.owner().query('SELECT id FROM lab.item')).toEqual([]);
    expect(told).toHaveLength(1);
  });

  test('says nothing of a loss that costs nothing, nor where nobody listens', async () => {
    const connection = await borrow(openCluster(lab));
    const told: unknown[] = [];
    const silent = await borrow(openCluster(lab));
    await silent.query('SET @mark = 1');
    connection.on('error', (error) => told.push(error));
    expect(await rowsOf(connection, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    const { threadId } = connection;
    await kill(threadId);
    await kill(silent.threadId);
    await sleep(300);
    expect(await rowsOf(connection, 'SELECT CONNECTION_ID() AS id')).not.toEqual([{ id: threadId }]);
    expect(told).toEqual([]);
    connection.release();
    silent.release();
  });
});
