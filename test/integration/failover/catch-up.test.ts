import { cp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import type { Cluster, ClusterConfig } from '../../../src/index.ts';
import { type Lab, type LabServer, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

/** Long enough for a test to bring the rows. */
const patienceMs = 20_000;

describe.each(labVendors)('a new primary on %s', (vendor) => {
  let lab: Lab;
  let lastId = 0;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
    await lab.heal();
  });

  afterEach(() => lab.heal());

  afterAll(() => lab.stop());

  const standby = (): LabServer => lab.master(lab.owner().name === 'a' ? 'b' : 'a');

  function open(failover: ClusterConfig['failover'] = {}) {
    const db = openCluster(lab, { failover: { heartbeatMs: 200, ...failover }, timeoutMs: 30_000 });
    return {
      db,
      epochs: recordEvents(db, 'epoch:opened'),
      behind: recordEvents(db, 'primary:behind'),
      unavailable: recordEvents(db, 'positions:unavailable'),
    };
  }

  async function write(db: Cluster, count = 1): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      lastId += 1;
      await db.primary().execute('INSERT INTO t VALUES (?)', [lastId]);
    }
  }

  async function positionOf(server: LabServer): Promise<string> {
    const [row] = await server.query(
      `SELECT ${vendor === 'mysql' ? '@@GLOBAL.gtid_executed' : '@@GLOBAL.gtid_binlog_state'} AS position`,
    );
    return String(row?.position).replaceAll('\n', '');
  }

  /** What a server has done since then: a set on MySQL, the end of what changed on MariaDB. */
  async function doneSince(server: LabServer, before: string): Promise<string> {
    const now = await positionOf(server);
    if (vendor === 'mariadb') {
      const old = before.split(',');
      return now
        .split(',')
        .filter((gtid) => !old.includes(gtid))
        .join(',');
    }
    const [row] = await server.query('SELECT GTID_SUBTRACT(?, ?) AS done', [now, before]);
    return String(row?.done).replaceAll('\n', '');
  }

  /** Cuts the standby off, writes, and kills the primary: what it acknowledged last is nowhere else. */
  async function loseLastWrites(db: Cluster): Promise<string> {
    const owner = lab.owner();
    const before = await positionOf(owner);
    await eventually('the standby to have what was written', async () =>
      parsePosition(vendor, await positionOf(standby())).contains(parsePosition(vendor, before)),
    );
    await lab.fault({ kind: 'stop-receiver', server: standby().name });
    await write(db, 3);
    const lost = await doneSince(owner, before);
    // Acknowledged to somebody else, and not this process's to ask for.
    lastId += 1;
    await owner.query('INSERT INTO lab.t VALUES (?)', [lastId]);
    await lab.fault({ kind: 'kill', server: owner.name });
    return lost;
  }

  describe('that holds everything', () => {
    test('opens without a word', async () => {
      const { db, epochs, behind, unavailable } = open();
      await write(db, 3);
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      await write(db);
      expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
      expect([...behind, ...unavailable]).toEqual([]);
    });

    test('opens without a word when it was restarted in place', async () => {
      const { db, epochs, behind } = open({ catchUpMs: patienceMs });
      await write(db, 3);
      const { name } = lab.owner();
      await lab.fault({ kind: 'kill', server: name });
      await lab.fault({ kind: 'start', server: name });
      await eventually('the second epoch', () => epochs.length === 2, 20_000);
      expect(behind).toEqual([]);
    });
  });

  describe('that lacks acknowledged writes', () => {
    test('opens after catchUpMs, and exactly these are told', async () => {
      const { db, epochs, behind } = open({ catchUpMs: 700 });
      await write(db);
      const lost = await loseLastWrites(db);
      await lab.fault({ kind: 'failover', gapMs: 0 });
      await write(db);
      expect(behind).toMatchObject([{ epoch: 2, missing: lost, server: epochs[1]?.server }]);
      expect(behind[0]?.waitedMs).toBeGreaterThanOrEqual(700);
    });

    test('opens after catchUpMs when it is the old one, restarted without them', async () => {
      const owner = lab.owner();
      const data = join(dirname(owner.logFile), 'data');
      await lab.fault({ kind: 'kill', server: owner.name });
      await cp(data, `${data}.before`, { recursive: true });
      await lab.fault({ kind: 'start', server: owner.name });
      const { db, behind } = open();
      await db.ready();
      // A start in the same second could only be told by connection ids, of which there are few here.
      await sleep(1_000);
      const lost = await loseLastWrites(db);
      await rm(data, { recursive: true });
      await rename(`${data}.before`, data);
      await lab.fault({ kind: 'start', server: owner.name });
      await write(db);
      expect(behind).toMatchObject([{ epoch: 2, missing: lost }]);
    });

    test('opens unasked with catchUpMs: 0', async () => {
      const { db, behind, unavailable } = open({ catchUpMs: 0 });
      await write(db);
      await loseLastWrites(db);
      await lab.fault({ kind: 'failover', gapMs: 0 });
      await write(db);
      expect([...behind, ...unavailable]).toEqual([]);
    });

    test('is told of once: the next one is not kept waiting for what is lost', async () => {
      const { db, epochs, behind } = open();
      await write(db);
      const lost = await loseLastWrites(db);
      await lab.fault({ kind: 'failover', gapMs: 0 });
      await write(db);
      expect(behind.map(({ missing }) => missing)).toEqual([lost]);
      await lab.heal();
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      await eventually('the third epoch', () => epochs.length === 3);
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      await eventually('the fourth epoch', () => epochs.length === 4);
      await write(db);
      expect(behind).toHaveLength(1);
    });
  });
});
