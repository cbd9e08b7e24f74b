import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterConfig } from '../../../src/index.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, sleep } from '../../support/cluster.ts';
import { PoolFixture } from './pool-fixture.ts';
import { appSessions, killAppSessions, statusNumber } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
  await lab.owner().query('CREATE TABLE lab.t (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(40))');
  await lab.heal();
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

const openPool = (pool: ClusterConfig['pool'], primary?: string): PoolFixture =>
  new PoolFixture({ ...lab.config(), ...(primary !== undefined && { primary }), pool: { ...pool } });

describe('the warm minimum', () => {
  test('is opened before anybody asks, and used by whoever comes first', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const { pool } = openPool({ max: 10, min: 3 }, proxy.address);
    pool.start();
    await eventually('the minimum', () => pool.open === 3);
    expect(pool.inUse).toBe(0);
    pool.release(await pool.acquire(deadline()));
    expect(proxy.all).toHaveLength(3);
  });

  test('is what remains when connections have been idle for idleMs', async () => {
    const fixture = openPool({ max: 8, min: 2, idleMs: 1_000 });
    const { pool } = fixture;
    pool.start();
    await fixture.openConnections(8);
    expect(pool.open).toBe(8);
    await eventually('the others to be closed', () => pool.open === 2, 8_000);
    await eventually('their sessions to end', async () => (await appSessions(lab)).length === 2);
    const kept = await appSessions(lab);
    await sleep(2_500);
    expect(pool.open).toBe(2);
    expect(await appSessions(lab)).toEqual(kept);
    expect(fixture.losses).toBe(0);
  });

  test('is opened again when the server has ended idle connections', async () => {
    const { pool } = openPool({ max: 5, min: 2 });
    pool.start();
    await eventually('the minimum', () => pool.open === 2);
    const before = await appSessions(lab);
    await killAppSessions(lab);
    await eventually('the ends', () => pool.open < 2);
    await eventually('the minimum again', () => pool.open === 2, 8_000);
    expect((await appSessions(lab)).filter((id) => before.includes(id))).toEqual([]);
  });

  test('is tried again every second while the server refuses, without anybody waiting', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const { pool, connectFailures } = openPool({ max: 5, min: 2 }, proxy.address);
    proxy.manner = { closeAfterMs: 0 };
    pool.start();
    await sleep(2_500);
    expect(proxy.all.length).toBeGreaterThanOrEqual(4);
    expect(proxy.all.length).toBeLessThanOrEqual(8);
    expect(connectFailures.length).toBeLessThanOrEqual(8);
    proxy.manner = 'forward';
    await eventually('the minimum', () => pool.open === 2);
  });
});

describe('idle connections', () => {
  test('are lent last in, first out, so that those not needed grow old', async () => {
    const fixture = openPool({ max: 3, min: 0 });
    const [first, second, third] = await fixture.openConnections(3);
    const lent = [await fixture.acquire(), await fixture.acquire(), await fixture.acquire()];
    expect(lent).toEqual([third, second, first]);
    for (const connection of lent) fixture.pool.release(connection);
    const used = new Set<Connection>();
    for (let i = 0; i < 10; i += 1) {
      const connection = await fixture.acquire();
      used.add(connection);
      fixture.pool.release(connection);
    }
    expect([...used]).toEqual([first]);
  });
});

describe('maxLifetimeMs', () => {
  test('closes each connection within a tenth below it, and not all at the same age', async () => {
    const fixture = openPool({ max: 8, min: 8, maxLifetimeMs: 3_000 });
    const { pool } = fixture;
    const connections = await fixture.openConnections(8);
    const ages = new Map<Connection, number>();
    const began = performance.now();
    while (ages.size < 8 && performance.now() - began < 8_000) {
      // All at once, so that each is given back as often as every other.
      const lent = await Promise.all(Array.from({ length: 8 }, () => fixture.acquire()));
      for (const connection of lent) pool.release(connection);
      for (const connection of connections) {
        if (!connection.usable && !ages.has(connection))
          ages.set(connection, performance.now() - connection.openedAt);
      }
      await sleep(5);
    }
    const all = [...ages.values()];
    expect(all).toHaveLength(8);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(2_700);
    // That none of eight is more than 40 ms below the limit happens once in ten million runs.
    expect(Math.min(...all)).toBeLessThan(2_960);
    await eventually('their successors', () => pool.open === 8);
    expect(fixture.losses).toBe(0);
  });

  test('replaces connections that nobody uses, too', async () => {
    const { pool } = openPool({ max: 2, min: 2, idleMs: 500, maxLifetimeMs: 1_000 });
    pool.start();
    await eventually('the minimum', () => pool.open === 2);
    const before = await appSessions(lab);
    await eventually('others in their place', async () => {
      const now = await appSessions(lab);
      return now.length === 2 && now.every((id) => !before.includes(id));
    });
  });

  test('interrupts nobody who is using a connection', async () => {
    const db = openCluster(lab, { pool: { max: 2, min: 0, maxLifetimeMs: 1_000 } });
    const [first, again] = await db.primary().connection(async (connection) => {
      const id = connection.id;
      await sleep(1_200);
      return [id, await connection.value('SELECT CONNECTION_ID()')];
    });
    expect(again).toBe(first);
    expect(await db.primary().value('SELECT CONNECTION_ID()')).not.toBe(first);
  });
});

describe('a connection that comes back', () => {
  test('has left the transaction that connection(fn) had open', async () => {
    const db = openCluster(lab, { pool: { max: 1, min: 0 } });
    const id = await db.primary().connection(async (connection) => {
      await connection.query('SET SESSION sql_mode = "", @mine = 1');
      await connection.query('BEGIN');
      await connection.execute("INSERT INTO t (note) VALUES ('never committed')");
      return connection.id;
    });
    const [state] = await db
      .primary()
      .query(
        'SELECT CONNECTION_ID() AS id, @mine AS mine, @@sql_mode AS mode, ' +
          "(SELECT COUNT(*) FROM t WHERE note = 'never committed') AS n",
      );
    expect(state).toMatchObject({
      id,
      mine: null,
      n: 0,
      mode: expect.stringContaining('STRICT_TRANS_TABLES'),
    });
    expect(
      await lab
        .owner()
        .query(`SELECT 1 FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ${id}`),
    ).toEqual([]);
  });

  test('keeps at most 100 prepared statements on the server', async () => {
    const db = openCluster(lab, { pool: { max: 2, min: 0 } });
    await db.ready();
    const before = await statusNumber(lab.owner(), 'Prepared_stmt_count');
    let most = 0;
    for (let i = 0; i < 300; i += 1) {
      await db.primary().query(`SELECT ? + ${i}`, [i], { prepare: true });
      if (i % 50 === 49) most = Math.max(most, await statusNumber(lab.owner(), 'Prepared_stmt_count'));
    }
    expect(most - before).toBeLessThanOrEqual(100);
    expect(most - before).toBeGreaterThan(90);
  });

  test('can run statements that it had prepared before its reset', async () => {
    const db = openCluster(lab, { pool: { max: 1, min: 0 } });
    const ask = (): Promise<unknown> => db.primary().value('SELECT ? + 1', [1], { prepare: true });
    const before = [await ask(), await db.primary().value('SELECT CONNECTION_ID()')];
    await db.primary().connection((connection) => connection.query('SET @x = 1'));
    expect([await ask(), await db.primary().value('SELECT CONNECTION_ID()')]).toEqual(before);
  });
});

function deadline(): Deadline {
  return new Deadline(10_000);
}
