import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';
import { insert, longEnough, mastersOf, openWatched, standbyOf, writeTo } from './watched-cluster.ts';

describe.each(labVendors)('the masters at their own addresses, on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 2, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY)');
    await lab.heal();
  });

  afterEach(() => lab.heal());

  afterAll(() => lab.stop());

  test('stand in status() with who they are and what they wrote', async () => {
    const { db } = await openWatched(lab);
    const [owner, standby] = [lab.owner(), standbyOf(lab)];
    const of = (name: string) => db.status().masters.find((master) => master.name === name);
    expect(of(owner.address)).toMatchObject({ state: 'answers', primary: true, writable: true });
    expect(of(standby.address)).toMatchObject({ state: 'answers', primary: false, writable: false });
    expect(db.status().primary.server).toContain(of(owner.address)?.server);
    const before = of(owner.address)?.position;
    await insert(owner);
    await eventually('the next look', () => of(owner.address)?.position !== before);
    expect(of(owner.address)?.position).toContain(vendor === 'mysql' ? ':1-' : '-');
    expect(of(owner.address)?.lookedAtMsAgo).toBeLessThan(3_000);
  });

  test('are asked on one READ ONLY session each, and never written to', async () => {
    const standby = standbyOf(lab);
    await standby.query("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON");
    try {
      const { db } = await openWatched(lab);
      const statements = async () => {
        const rows = await standby.query<{ id: number; text: string }>(
          "SELECT thread_id AS id, CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log WHERE command_type = 'Query'",
        );
        return rows.filter(({ text }) => !/lab_admin|general_log/.test(text));
      };
      const looks = async () =>
        (await statements()).filter(({ text }) => /gtid/i.test(text) && /read_only/.test(text));
      await eventually('some looks', async () => (await looks()).length > 4);
      const [look] = await looks();
      const own = (await statements()).filter(({ id }) => id === look?.id);
      expect(new Set((await looks()).map(({ id }) => id)).size).toBe(1);
      expect(own.map(({ text }) => text)).toContain('SET SESSION TRANSACTION READ ONLY');
      expect(own.filter(({ text }) => !/^(SELECT|SHOW|SET (SESSION|@@SESSION))/.test(text))).toEqual([]);
      expect(db.status().masters).toHaveLength(2);
    } finally {
      await standby.query('SET GLOBAL general_log = OFF');
    }
  });

  test('cost nothing while one is dead, frozen or refuses, and are looked at again afterwards', async () => {
    const { db, told } = await openWatched(lab);
    const standby = standbyOf(lab);
    const of = () => db.status().masters.find(({ name }) => name === standby.address);
    for (const [kind, end] of [
      ['freeze', 'thaw'],
      ['kill', 'start'],
    ] as const) {
      await lab.fault({ kind, server: standby.name });
      await eventually(`silence after ${kind}`, () => of()?.state === 'silent');
      expect(of()?.reason).toMatch(/\w/);
      expect(await db.primary().value('SELECT 1')).toBe(1);
      await lab.fault({ kind: end, server: standby.name });
      await eventually(`an answer after ${end}`, () => of()?.state === 'answers');
    }
    expect(told).toEqual([]);
  });

  describe('that cannot be watched', () => {
    test('in everything, because a grant is missing, are told of with the grant, and watched in the rest', async () => {
      await lab.owner().query("CREATE USER plain@'%' IDENTIFIED BY 'plain'");
      await lab.owner().query("GRANT ALL ON lab.* TO plain@'%'");
      await lab.heal();
      try {
        const db = openCluster(lab, { masters: mastersOf(lab), user: 'plain', password: 'plain' });
        const unwatched = recordEvents(db, 'master:unwatched');
        const two = recordEvents(db, 'two-writers');
        await eventually('one for each', () => unwatched.length === 2);
        const grant =
          vendor === 'mysql' ? /Run GRANT SELECT ON performance_schema/ : /Run GRANT SLAVE MONITOR/;
        for (const { reason } of unwatched) expect(reason).toMatch(grant);
        const standby = standbyOf(lab);
        await lab.fault({ kind: 'read-only', server: standby.name, on: false });
        await writeTo(standby, () => two.length > 0);
        expect(unwatched).toHaveLength(2);
      } finally {
        await lab.owner().query('DROP USER plain');
      }
    });

    test('because they replicate nothing with the primary, are told of, and never are a second writer', async () => {
      await using stranger = await startLab({ vendor, replicas: 0, redis: false });
      // On MariaDB another number is another server.
      await stranger.owner().query('SET GLOBAL server_id = 9');
      await stranger.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY)');
      await insert(lab.owner());
      const address = stranger.owner().address;
      const { db, told, record } = await openWatched(lab, { masters: [...mastersOf(lab), address] });
      const unwatched = record('master:unwatched');
      const began = performance.now();
      await writeTo(stranger.owner(), () => performance.now() - began > 6_000);
      expect(unwatched).toMatchObject([{ master: address, reason: expect.stringContaining('`masters`') }]);
      expect(told).toEqual(['master:unwatched']);
      expect(db.status().masters).toHaveLength(3);
    });
  });
});

describe('the masters at their own addresses', () => {
  let lab: Lab;

  beforeAll(async () => {
    // MariaDB has no server_uuid: two servers with one id have one identity.
    lab = await startLab({ vendor: 'mariadb', replicas: 2, redis: false });
  });

  afterEach(() => lab.heal());

  afterAll(() => lab.stop());

  test('get no more than 20 logins from one that greets nobody', async () => {
    await using proxy = await TcpProxy.start(standbyOf(lab));
    proxy.manner = 'hold';
    const db = openCluster(lab, {
      masters: [lab.owner().address, proxy.address],
      monitor: { intervalMs: 50, timeoutMs: 100 },
      loginTimeoutMs: 100,
    });
    const blocked = recordEvents(db, 'host:blocked');
    await eventually('the limit', () => proxy.all.length === 20, 20_000);
    await longEnough();
    expect(proxy.all).toHaveLength(20);
    expect(blocked).toEqual([]);
    expect(db.status().masters[1]).toMatchObject({ state: 'silent', server: undefined });
    expect(await db.primary().value('SELECT 1')).toBe(1);
    proxy.release();
    await eventually('an answer', () => db.status().masters[1]?.state === 'answers');
  });

  test('may be replicas as well', async () => {
    const { db, told } = await openWatched(lab, { replicas: mastersOf(lab), monitor: { intervalMs: 50 } });
    const collisions = recordEvents(db, 'identity:collision');
    await eventually('the standby serves reads', () =>
      db.status().replicas.every(({ state }) => state === 'serving'),
    );
    // The connections of both monitors are replaced every 1.5 s.
    await longEnough();
    expect([told, collisions]).toEqual([[], []]);
  });

  test('of one identity that are two servers are told of', async () => {
    const [one, two] = lab.replicas;
    await two?.query('SET GLOBAL server_id = 3');
    try {
      const masters = [one?.address ?? '', two?.address ?? ''];
      const db = openCluster(lab, { masters, replicas: [], monitor: { intervalMs: 50 } });
      const collisions = recordEvents(db, 'identity:collision');
      await eventually('they are told apart', () => collisions.length > 0, 30_000);
      await longEnough();
      expect(collisions).toHaveLength(1);
      expect([...(collisions[0]?.servers ?? [])].sort()).toEqual(masters.sort());
    } finally {
      await two?.query('SET GLOBAL server_id = 4');
    }
  });

  describe('that cannot be watched', () => {
    test('because of the login, are told of once, and the primary is none the worse', async () => {
      const db = openCluster(lab, {
        masters: [lab.owner().address, `mysql://app:wrong@${standbyOf(lab).address}`],
        monitor: { intervalMs: 50 },
      });
      const unwatched = recordEvents(db, 'master:unwatched');
      await eventually('the event', () => unwatched.length > 0);
      await longEnough();
      expect(unwatched).toMatchObject([
        { master: standbyOf(lab).address, reason: expect.stringMatching(/Access denied.*`masters`/) },
      ]);
      expect(db.status().masters[1]).toMatchObject({ state: 'silent' });
      expect(await db.primary().value('SELECT 1')).toBe(1);
    });

    test('because there is no such host, are told of once', async () => {
      const db = openCluster(lab, { masters: ['no-such-host.invalid'], monitor: { intervalMs: 50 } });
      const unwatched = recordEvents(db, 'master:unwatched');
      await eventually('the event', () => unwatched.length > 0);
      await longEnough();
      expect(unwatched).toMatchObject([
        { master: 'no-such-host.invalid:3306', reason: expect.stringContaining('`masters`') },
      ]);
    });
  });
});
