import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster, ClusterConfig } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, openServing, recordEvents, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { idOf, keepWriting, lagOf, readersOf, stateOf } from './lag-lab.ts';

/** As pt-heartbeat --create-table makes it. */
const ddl = `CREATE TABLE IF NOT EXISTS lab.heartbeat (
  ts                    varchar(26) NOT NULL,
  server_id             int unsigned NOT NULL PRIMARY KEY,
  file                  varchar(255) DEFAULT NULL,
  position              bigint unsigned DEFAULT NULL,
  relay_master_log_file varchar(255) DEFAULT NULL,
  exec_master_log_pos   bigint unsigned DEFAULT NULL)`;

const intervalMs = 200;
const maxLagMs = 1_500;

describe.each(labVendors)('lag by heartbeats on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 2 });
    await lab.owner().query('CREATE TABLE lab.things (id INT PRIMARY KEY AUTO_INCREMENT)');
  });
  beforeEach(async () => {
    await lab.owner().query(ddl);
    await lab.owner().query('DELETE FROM lab.heartbeat');
  });
  afterEach(() => lab.heal());
  afterAll(() => lab.stop());

  const [r1, r2] = [() => lab.server('r1'), () => lab.server('r2')];
  const writing: Partial<ClusterConfig> = {
    lag: { maxLagMs, intervalMs, heartbeatTable: 'heartbeat', writeHeartbeat: true },
  };

  async function heartbeats(server = lab.owner()): Promise<ReadonlyMap<number, string>> {
    const rows = await server.query<{ server_id: number; ts: string }>(
      'SELECT server_id, ts FROM lab.heartbeat',
    );
    return new Map(rows.map((row) => [Number(row.server_id), row.ts]));
  }

  /** The highest lag of a replica over a time. */
  async function highestLag(db: Cluster, overMs: number): Promise<number> {
    let highest = 0;
    for (const end = performance.now() + overMs; performance.now() < end; await sleep(20)) {
      highest = Math.max(highest, lagOf(db, r1()) ?? 0, lagOf(db, r2()) ?? 0);
    }
    return highest;
  }

  test('written by vipsql: milliseconds, and a stopped applier is put aside and comes back', async () => {
    const db = await openServing(lab, writing);
    const lagging = recordEvents(db, 'replica:lagging');
    const caughtUp = recordEvents(db, 'replica:caught-up');
    expect(await highestLag(db, 1_000)).toBeLessThan(maxLagMs);
    expect([...(await heartbeats()).keys()]).toEqual([await idOf(lab.owner())]);
    expect(lagging).toEqual([]);

    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    await eventually('it is put aside', () => lagging.length > 0);
    expect(lagging[0]?.lagMs).toBeGreaterThan(maxLagMs * 0.7);
    await eventually('its lag grows', () => (lagOf(db, r1()) ?? 0) > 2 * maxLagMs);
    expect(await readersOf(db)).toEqual(new Set([await idOf(r2())]));

    await lab.fault({ kind: 'start-applier', server: 'r1' });
    await eventually('it is back', () => caughtUp.length > 0);
    expect(stateOf(db, r1())).toBe('serving');
  });

  test('written by pt-heartbeat, whatever its clock and time zone say', async () => {
    const id = await idOf(lab.owner());
    const far = "DATE_FORMAT(UTC_TIMESTAMP(6) + INTERVAL 330 MINUTE, '%Y-%m-%dT%H:%i:%s.%f')";
    const ptHeartbeat = keepWriting(
      () =>
        lab
          .owner()
          .query(
            `REPLACE INTO lab.heartbeat (ts, server_id, file, position) VALUES (${far}, ${id}, 'bin.1', 4)`,
          ),
      intervalMs,
    );
    try {
      const db = await openServing(lab, { lag: { maxLagMs, intervalMs, heartbeatTable: 'lab.heartbeat' } });
      const lagging = recordEvents(db, 'replica:lagging');
      expect(await highestLag(db, 1_000)).toBeLessThan(maxLagMs);
      await lab.fault({ kind: 'stop-applier', server: 'r1' });
      await eventually('it is put aside', () => lagging.length > 0);
      await eventually('its lag grows', () => (lagOf(db, r1()) ?? 0) > 2 * maxLagMs);
      expect(stateOf(db, r2())).toBe('serving');
      await lab.fault({ kind: 'start-applier', server: 'r1' });
      await eventually('it is back', () => stateOf(db, r1()) === 'serving');
    } finally {
      await ptHeartbeat.stop();
    }
  });

  test('several processes that write do not disturb each other', async () => {
    const all = await Promise.all([1, 2, 3].map(() => openServing(lab, writing)));
    const lagging = all.map((db) => recordEvents(db, 'replica:lagging'));
    const before = await heartbeats();
    const highest = await Promise.all(all.map((db) => highestLag(db, 2_000)));
    for (const lagMs of highest) expect(lagMs).toBeLessThan(maxLagMs);
    expect(lagging.flat()).toEqual([]);
    expect(await heartbeats()).not.toEqual(before);
  });

  test('a failover in the middle: the new primary alone has heartbeats, and the replicas serve', async () => {
    const db = await openServing(lab, writing);
    const behind = recordEvents(db, 'primary:behind');
    const old = lab.owner();
    const oldId = await idOf(old);
    await lab.fault({ kind: 'failover' });
    await db.primary().execute('INSERT INTO things () VALUES ()');
    const id = await idOf(lab.owner());
    await eventually('the new primary has one', async () => (await heartbeats()).has(id));
    const last = (await heartbeats(old)).get(oldId);
    await eventually('the replicas serve', () =>
      db.status().replicas.every(({ state, lagMs = maxLagMs }) => state === 'serving' && lagMs < maxLagMs),
    );
    expect(await readersOf(db)).not.toContain(id);
    await sleep(3 * intervalMs);
    expect((await heartbeats(old)).get(oldId)).toBe(last);
    expect(behind).toEqual([]);
  });

  test('an account that may not read the table: told once, with the GRANT', async () => {
    await lab.owner().query("CREATE USER 'narrow'@'%' IDENTIFIED BY 'narrow-secret'");
    await lab.owner().query("GRANT SELECT ON lab.things TO 'narrow'@'%'");
    await lab.heal();
    const db = openCluster(lab, { ...writing, replica: { user: 'narrow', password: 'narrow-secret' } });
    const unavailable = recordEvents(db, 'lag:unavailable');
    await eventually('it is told of both', () => unavailable.length === 2);
    await sleep(5 * intervalMs);
    expect(unavailable.map(({ server }) => server).sort()).toEqual([r1().address, r2().address].sort());
    expect(unavailable[0]?.remedy).toContain('GRANT SELECT ON `lab`.`heartbeat`');
    await lab.owner().query("GRANT SELECT ON lab.heartbeat TO 'narrow'@'%'");
    await eventually(
      'they serve',
      () => db.status().replicas.every(({ state }) => state === 'serving'),
      15_000,
    );
    expect(unavailable).toHaveLength(2);
    await lab.owner().query("DROP USER 'narrow'@'%'");
  });

  test('a table that is not there: told with the statement that makes it, and what then becomes of it', async () => {
    await lab.owner().query('DROP TABLE lab.heartbeat');
    const db = openCluster(lab, writing);
    const unavailable = recordEvents(db, 'lag:unavailable');
    expect(await readersOf(db)).toEqual(new Set([await idOf(lab.owner())]));
    await eventually('it is told of the primary', () =>
      unavailable.some(({ remedy }) => /CREATE TABLE/.test(remedy)),
    );
    const told = unavailable.find(({ server }) => server.includes(lab.config().primary));
    const statement = /CREATE TABLE .*\)/.exec(told?.remedy ?? '')?.[0] ?? '';
    const { length } = unavailable;
    await lab.owner().query(statement);
    await eventually(
      'the replicas serve',
      () => db.status().replicas.every(({ state }) => state === 'serving'),
      20_000,
    );
    expect(unavailable).toHaveLength(length);
  });
});

describe.each(labVendors)('a heartbeat that did not get to the other master, on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 1, semiSync: false });
    await lab.owner().query(ddl);
    await lab.heal();
  });
  afterAll(() => lab.stop());

  test('is nobody else’s write: the new primary opens without waiting for it', async () => {
    const db = openCluster(lab, {
      lag: { intervalMs, heartbeatTable: 'heartbeat', writeHeartbeat: true },
      failover: { catchUpMs: 10_000 },
    });
    const behind = recordEvents(db, 'primary:behind');
    const opened = recordEvents(db, 'epoch:opened');
    await eventually('lag is known', () => lagOf(db, lab.server('r1')) !== undefined);
    await lab.fault({ kind: 'stop-receiver', server: 'b' });
    await sleep(5 * intervalMs);
    await lab.fault({ kind: 'failover', gapMs: 0 });
    await eventually('the new primary is open', () => opened.length === 2);
    const other = vendor === 'mysql' ? 'gtid_executed' : 'gtid_binlog_state';
    const [a, b] = await Promise.all(
      lab.masters.map((master) => master.query(`SELECT @@GLOBAL.${other} AS position`)),
    );
    expect(a).not.toEqual(b);
    expect(opened[1]?.interruptedMs).toBeLessThan(5_000);
    expect(behind).toEqual([]);
  });
});
