import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster, ClusterConfig, ClusterEvents } from '../../../src/index.ts';
import { type Lab, type LabServer, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';

/** Long enough for a test to bring the rows. */
const patienceMs = 30_000;

/** A cluster whose VIP is a proxy, so that it can be moved while the servers do what they should not. */
interface Setting extends AsyncDisposable {
  readonly db: Cluster;
  readonly epochs: ClusterEvents['epoch:opened'][];
  readonly behind: ClusterEvents['primary:behind'][];
  readonly unavailable: ClusterEvents['positions:unavailable'][];
  moveTo(server: LabServer): void;
}

describe.each(labVendors)('while a new primary on %s catches up', (vendor) => {
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

  async function open({
    proxied = false,
    hide = [],
    ...config
  }: Partial<ClusterConfig> & { readonly proxied?: boolean; readonly hide?: readonly string[] } = {}) {
    const proxy = await TcpProxy.start(lab.owner());
    const [hidden = '', unknown = ''] = hide;
    if (hidden !== '') {
      proxy.rewrite = (chunk) => Buffer.from(chunk.toString('latin1').replace(hidden, unknown), 'latin1');
    }
    const db = openCluster(lab, {
      primary: { host: '127.0.0.1', port: proxy.port, proxied },
      failover: { heartbeatMs: 200, catchUpMs: patienceMs },
      timeoutMs: patienceMs,
      ...config,
    });
    const setting: Setting = {
      db,
      epochs: recordEvents(db, 'epoch:opened'),
      behind: recordEvents(db, 'primary:behind'),
      unavailable: recordEvents(db, 'positions:unavailable'),
      moveTo(server) {
        proxy.target = server;
        proxy.cut();
      },
      async [Symbol.asyncDispose]() {
        await db.close({ timeoutMs: 0 });
        await proxy.stop();
      },
    };
    return setting;
  }

  async function write(db: Cluster): Promise<void> {
    lastId += 1;
    await db.primary().execute('INSERT INTO t VALUES (?)', [lastId]);
  }

  const state = (db: Cluster): string => db.status().primary.state;

  const startApplier = (server: LabServer): Promise<unknown> =>
    server.query(vendor === 'mysql' ? 'START REPLICA SQL_THREAD' : 'START SLAVE SQL_THREAD');

  /** The standby gets the VIP, takes writes, and does not apply what it has received. */
  async function startCatchingUp({ db, moveTo }: Setting): Promise<void> {
    const server = standby();
    await lab.fault({ kind: 'read-only', server: server.name, on: false });
    await lab.fault({ kind: 'stop-applier', server: server.name });
    await write(db);
    await write(db);
    moveTo(server);
    await eventually('catching up', () => state(db) === 'catching-up');
  }

  test('operations wait, and go on without a word as soon as its rows are there', async () => {
    await using setting = await open();
    const { db, epochs, behind } = setting;
    await startCatchingUp(setting);
    const read = db.primary().one('SELECT MAX(id) AS last FROM t');
    const late = await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 300 }));
    expect(late).toMatchObject({
      code: 'VIPSQL_PRIMARY_UNAVAILABLE',
      outcome: 'not-executed',
      message: expect.stringContaining('does not hold every acknowledged write yet'),
    });
    await startApplier(standby());
    expect(await read).toEqual({ last: lastId });
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(behind).toEqual([]);
  });

  test('the VIP may move on: it is never opened, and the next is asked for the same', async () => {
    await using setting = await open();
    const { db, epochs, behind, moveTo } = setting;
    await startCatchingUp(setting);
    moveTo(lab.owner());
    await eventually('the epoch of the next', () => epochs.length === 2);
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 3]);
    expect(epochs[1]?.previous).toBe(epochs[0]?.server);
    await write(db);
    expect(behind).toEqual([]);
  });

  test('it may die: operations wait, and it is asked again when it is back', async () => {
    await using setting = await open();
    const { db, epochs, behind } = setting;
    await startCatchingUp(setting);
    const { name } = standby();
    await lab.fault({ kind: 'kill', server: name });
    await eventually('the interruption', () => state(db) !== 'catching-up');
    await lab.fault({ kind: 'start', server: name });
    await lab.fault({ kind: 'read-only', server: name, on: false });
    await eventually('the new epoch', () => epochs.length === 2, 20_000);
    expect(await db.primary().value('SELECT MAX(id) FROM t')).toBe(lastId);
    expect(behind).toEqual([]);
  });

  test('it may fall silent: that ends the wait for its answer, and it is asked again when it wakes', async () => {
    await using setting = await open();
    const { db, epochs, behind } = setting;
    const interrupted = recordEvents(db, 'primary:interrupted');
    await startCatchingUp(setting);
    const { name } = standby();
    const told = interrupted.length;
    await lab.fault({ kind: 'freeze', server: name });
    await eventually('the interruption', () => state(db) === 'interrupted');
    expect(interrupted).toHaveLength(told);
    await lab.fault({ kind: 'thaw', server: name, fence: false });
    await startApplier(standby());
    await eventually('the new epoch', () => epochs.length === 2, 20_000);
    expect(await db.primary().value('SELECT MAX(id) FROM t')).toBe(lastId);
    expect(behind).toEqual([]);
  });

  test('it may turn read-only: it is asked again when it takes writes', async () => {
    await using setting = await open();
    const { db, epochs, behind } = setting;
    await startCatchingUp(setting);
    const { name } = standby();
    await lab.fault({ kind: 'read-only', server: name, on: true });
    await eventually('the interruption', () => state(db) === 'interrupted');
    await lab.fault({ kind: 'read-only', server: name, on: false });
    await eventually('catching up', () => state(db) === 'catching-up');
    expect(epochs).toHaveLength(1);
    await startApplier(standby());
    await eventually('the new epoch', () => epochs.length === 2);
    expect(behind).toEqual([]);
  });

  test('the cluster may be closed', async () => {
    await using setting = await open();
    const { db, epochs } = setting;
    await startCatchingUp(setting);
    const waiting = rejection(db.primary().query('SELECT 1'));
    await db.close({ timeoutMs: 0 });
    expect(await waiting).toMatchObject({ outcome: 'not-executed' });
    expect(epochs).toHaveLength(1);
  });

  describe('writes that tell no position', () => {
    const hide =
      vendor === 'mysql' ? ['session_track_gtids', 'session_track_gtidz'] : ['last_gtid', 'last_gtiz'];

    test('let the next primary open unasked, which is told once', async () => {
      await using setting = await open({ hide });
      const { db, epochs, behind, unavailable, moveTo } = setting;
      await lab.fault({ kind: 'read-only', server: standby().name, on: false });
      await write(db);
      await lab.fault({ kind: 'stop-applier', server: standby().name });
      await write(db);
      expect(unavailable).toEqual([]);
      moveTo(standby());
      await eventually('the second epoch', () => epochs.length === 2);
      moveTo(lab.owner());
      await eventually('the third epoch', () => epochs.length === 3);
      expect(unavailable).toMatchObject([
        { server: epochs[0]?.server, reason: 'its answers to writes carried none' },
      ]);
      expect(behind).toEqual([]);
    });

    test('are nothing to tell of where nothing was written', async () => {
      await using setting = await open({ hide });
      const { db, epochs, unavailable, moveTo } = setting;
      await lab.fault({ kind: 'read-only', server: standby().name, on: false });
      await db.primary().query('SELECT 1');
      await db.transaction((tx) => tx.query('SELECT * FROM t'));
      moveTo(standby());
      await eventually('the second epoch', () => epochs.length === 2);
      expect(unavailable).toEqual([]);
    });
  });

  test('behind a proxy there are no epochs, and nothing is asked', async () => {
    await using setting = await open({ proxied: true });
    const { db, epochs, behind, unavailable, moveTo } = setting;
    await lab.fault({ kind: 'read-only', server: standby().name, on: false });
    await lab.fault({ kind: 'stop-applier', server: standby().name });
    await write(db);
    moveTo(standby());
    await db.primary().query('SELECT 1', [], { idempotent: true });
    expect(epochs).toHaveLength(1);
    expect([...behind, ...unavailable]).toEqual([]);
  });
});

describe.each(labVendors.filter((vendor) => vendor === 'mysql'))('GTIDs that are off on %s', (vendor) => {
  test('are told of with the first write, and the next primary opens unasked', async () => {
    await using lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
    await lab.heal();
    for (const server of lab.masters) {
      await server.query('STOP REPLICA');
      await server.query('CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0');
    }
    for (const mode of ['ON_PERMISSIVE', 'OFF_PERMISSIVE']) {
      for (const server of lab.masters) await server.query(`SET GLOBAL gtid_mode = ${mode}`);
    }
    await lab.fault({ kind: 'read-only', server: 'b', on: false });
    await using proxy = await TcpProxy.start(lab.owner());
    await using db = openCluster(lab, { primary: proxy.address, failover: { heartbeatMs: 200 } });
    const unavailable = recordEvents(db, 'positions:unavailable');
    const epochs = recordEvents(db, 'epoch:opened');
    await db.primary().execute('INSERT INTO t VALUES (1)');
    expect(unavailable).toMatchObject([{ reason: 'its gtid_mode is OFF_PERMISSIVE' }]);
    expect(unavailable[0]?.remedy).toContain('gtid_mode=ON');
    proxy.target = lab.master('b');
    proxy.cut();
    await eventually('the second epoch', () => epochs.length === 2);
    await db.primary().execute('INSERT INTO t VALUES (2)');
    expect(unavailable).toHaveLength(1);
  });
});
