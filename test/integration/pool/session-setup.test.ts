import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterConfig } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { appSessions, killAppSessions } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

type ConnectingSession = Parameters<NonNullable<ClusterConfig['onConnect']>>[0];

describe.each(labVendors)('sessions on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
    await lab
      .owner()
      .query('CREATE TABLE lab.moments (id INT PRIMARY KEY, d DATETIME(3), t TIMESTAMP(3) NULL)');
    await lab.heal();
  });

  afterEach(() => lab.heal());

  afterAll(() => lab.stop());

  describe('sessionVariables', () => {
    const sessionVariables = {
      lock_wait_timeout: 7,
      sql_mode: 'STRICT_ALL_TABLES',
      '@@session.group_concat_max_len': 12_345,
      sql_safe_updates: true,
      lc_time_names: 'de_DE',
    };
    const ask =
      'SELECT @@lock_wait_timeout AS a, @@sql_mode AS b, @@group_concat_max_len AS c, @@sql_safe_updates AS d, ' +
      "DATE_FORMAT('2026-10-01', '%M') AS e, @@time_zone AS z, @@autocommit AS auto";
    const expected = { a: 7, b: 'STRICT_ALL_TABLES', c: 12_345, d: 1, e: 'Oktober', z: '+00:00', auto: 1 };

    test('hold on every session, of the primary and of replicas, beside what vipsql sets', async () => {
      const db = openCluster(lab, { sessionVariables });
      expect(await db.primary().one(ask)).toEqual(expected);
      expect(await db.replica().one(ask)).toEqual(expected);
    });

    test('hold again after a session was changed', async () => {
      const db = openCluster(lab, { sessionVariables, pool: { max: 1, min: 0 } });
      const id = await db.primary().connection(async (connection) => {
        await connection.query("SET SESSION lock_wait_timeout = 1, sql_mode = '', lc_time_names = 'en_US'");
        return connection.id;
      });
      expect(await db.primary().one(`${ask}, CONNECTION_ID() AS id`)).toEqual({ ...expected, id });
    });

    test('that no server knows are told in the error', async () => {
      const db = openCluster(lab, { sessionVariables: { no_such_variable: 1 } });
      expect(await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 700 }))).toMatchObject({
        outcome: 'not-executed',
        message: expect.stringContaining('no_such_variable'),
      });
    });
  });

  describe('onConnect', () => {
    test('runs on each new session before its first use, with what it sets', async () => {
      const seen: string[] = [];
      const db = openCluster(lab, {
        pool: { max: 2, min: 0 },
        onConnect: async (session: ConnectingSession) => {
          seen.push(`${session.role} ${session.server}`);
          const [row] = await session.query('SELECT ? + 1 AS two', [1]);
          await session.query(`SET @set_by_us = ${row?.two}`);
        },
      });
      expect(await db.primary().value('SELECT @set_by_us')).toBe(2);
      expect(await db.replica().value('SELECT @set_by_us')).toBe(2);
      const replica = lab.replicas[0]?.address;
      expect(new Set(seen)).toEqual(
        new Set([`primary ${lab.vip.host}:${lab.vip.port}`, `replica ${replica}`]),
      );
    });

    test('runs again when a session was reset, which takes back what it had set', async () => {
      const db = openCluster(lab, {
        pool: { max: 1, min: 0 },
        onConnect: async (session: ConnectingSession) => {
          await session.query('SET @set_by_us = 1');
        },
      });
      const id = await db.primary().connection(async (connection) => {
        await connection.query('SET @set_by_us = 2');
        return connection.id;
      });
      expect(await db.primary().one('SELECT @set_by_us AS x, CONNECTION_ID() AS id')).toEqual({ x: 1, id });
    });

    test('that never ends after a reset costs the connection and not the caller', async () => {
      let hangs = false;
      const db = openCluster(lab, {
        pool: { max: 1, min: 0 },
        onConnect: () => (hangs ? new Promise<void>(() => {}) : undefined),
      });
      await db.ready();
      await db.primary().query('SELECT 1');
      hangs = true;
      const began = performance.now();
      const id = await db.primary().connection((connection) => connection.value('SELECT CONNECTION_ID()'));
      expect(performance.now() - began).toBeLessThan(4_000);
      hangs = false;
      expect(await db.primary().value('SELECT CONNECTION_ID()')).not.toBe(id);
    });

    test('that rejects discards the connection, and serves once it resolves', async () => {
      let rejects = true;
      const db = openCluster(lab, {
        onConnect: async () => {
          if (rejects) throw new Error('not on this server');
        },
      });
      expect(await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 700 }))).toMatchObject({
        outcome: 'not-executed',
        message: expect.stringContaining(
          'the function that was given as onConnect failed: not on this server',
        ),
      });
      await eventually('no session left behind', async () => (await appSessions(lab)).length === 0);
      rejects = false;
      expect(await db.primary().value('SELECT 1')).toBe(1);
    });

    test('is told apart from a variable that the server does not know', async () => {
      const db = openCluster(lab, { sessionVariables: { nope: 1 } });
      expect(await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 700 }))).toMatchObject({
        outcome: 'not-executed',
        message: expect.stringMatching(/sessionVariables\) failed: Unknown system variable 'nope'/),
      });
    });

    test('that never ends is given up with its session after loginTimeoutMs, however often', async () => {
      let hangs = true;
      await using proxy = await TcpProxy.start(lab.vip);
      const db = openCluster(lab, {
        primary: proxy.address,
        loginTimeoutMs: 100,
        failover: { heartbeatMs: 40 },
        onConnect: () => (hangs ? new Promise<void>(() => {}) : undefined),
      });
      const error = await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 6_000 }));
      expect(error).toMatchObject({ outcome: 'not-executed' });
      // More than the 20 that a server which greets nobody would get.
      expect(proxy.all.length).toBeGreaterThan(20);
      // They do not pile up.
      expect(proxy.peakOpen).toBeLessThanOrEqual(20);
      hangs = false;
      await db.ready({ timeoutMs: 3_000 });
      await eventually('the end of those given up', async () => (await appSessions(lab)).length <= 3);
    });

    test('that hangs while its connection is ended is told so at once', async () => {
      const db = openCluster(lab, {
        loginTimeoutMs: 20_000,
        pool: { min: 0 },
        onConnect: async (session: ConnectingSession) => {
          const [row] = await session.query('SELECT COUNT(*) AS n FROM moments');
          if (row?.n === 0) await new Promise(() => {});
        },
      });
      await eventually('the session', async () => (await appSessions(lab)).length > 0);
      await lab.owner().query('INSERT INTO lab.moments (id) VALUES (1)');
      await killAppSessions(lab);
      await db.ready({ timeoutMs: 3_000 });
      await lab.owner().query('DELETE FROM lab.moments');
    });
  });

  describe('a timezone other than UTC', () => {
    const moments = [
      new Date('2026-11-22T12:34:56.789Z'),
      new Date('2026-12-31T22:30:00.000Z'),
      new Date('2026-03-29T01:30:00.001Z'),
      new Date('1999-02-28T23:59:59.999Z'),
    ];

    test.each(['+02:00', '-09:30', '+13:00', '-00:00'])(
      '%s gives back the Dates that went in, by either protocol, and stores the wall clock of that zone',
      async (timezone) => {
        const db = openCluster(lab, { timezone });
        await db.primary().execute('DELETE FROM moments');
        for (const [index, moment] of moments.entries()) {
          await db.primary().execute('INSERT INTO moments VALUES (?, ?, ?)', [index, moment, moment], {
            prepare: index % 2 === 0,
          });
        }
        for (const prepare of [false, true]) {
          const rows = await db
            .primary<{ d: Date; t: Date }>()
            .query('SELECT d, t FROM moments ORDER BY id', [], { prepare });
          expect(rows).toEqual(moments.map((moment) => ({ d: moment, t: moment })));
        }
        // DATETIME holds the wall clock of that zone, TIMESTAMP the moment.
        const utc = openCluster(lab);
        const [first] = await utc
          .primary<{ d: Date; t: Date }>()
          .query('SELECT d, t FROM moments WHERE id = 0');
        const offsetMs = offsetOf(timezone);
        expect(first?.t).toEqual(moments[0]);
        expect(first?.d.getTime()).toBe((moments[0]?.getTime() ?? 0) + offsetMs);
        const found = await db
          .primary()
          .query('SELECT id FROM moments WHERE d = :moment AND t = :moment', { moment: moments[1] ?? null });
        expect(found).toEqual([{ id: 1 }]);
      },
    );
  });
});

function offsetOf(timezone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(timezone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
