import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import {
  arrival,
  insert,
  longEnough,
  openWatched,
  standbyOf,
  type WatchedCluster,
} from './watched-cluster.ts';

describe.each(labVendors)('nothing is said of two writers on %s', (vendor) => {
  let lab: Lab;
  let writing = false;
  let writer: Promise<void> | undefined;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY)');
    await lab.heal();
  });

  afterEach(async () => {
    writing = false;
    await writer;
    await lab.heal();
  });

  afterAll(() => lab.stop());

  /** A cluster through which somebody writes all the time. */
  async function openBusy(): Promise<WatchedCluster> {
    const watched = await openWatched(lab);
    const { db } = watched;
    let n = 0;
    writing = true;
    writer = (async () => {
      while (writing) {
        n += 1;
        await db
          .primary()
          .execute('INSERT INTO t (id) VALUES (?)', [`${performance.timeOrigin}-${performance.now()}-${n}`])
          // In doubt, while the primary changes.
          .catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    return watched;
  }

  test('when a primary is killed, and when it comes back', async () => {
    const { db, told } = await openBusy();
    const old = lab.owner();
    await lab.fault({ kind: 'kill', server: old.name });
    await lab.fault({ kind: 'failover', gapMs: 300 });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    await longEnough();
    await lab.fault({ kind: 'start', server: old.name });
    await longEnough();
    expect(told).toEqual([]);
  });

  test('when a killed primary that held what nobody else had is made anew', async () => {
    const { db, told } = await openBusy();
    const [old, next] = [lab.owner(), standbyOf(lab)];
    await lab.fault({ kind: 'stop-receiver', server: next.name });
    for (let i = 0; i < 3; i += 1) await insert(old);
    await lab.fault({ kind: 'kill', server: old.name });
    await lab.fault({ kind: 'failover', gapMs: 300 });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    await lab.fault({ kind: 'start', server: old.name });
    await eventually('its return', () =>
      db.status().masters.every(({ state, writable }) => state === 'answers' && writable !== undefined),
    );
    await longEnough();
    expect(told).toEqual([]);
  });

  test('when the VIP is moved while the applier of the new primary lags', async () => {
    const { db, told } = await openBusy();
    const [old, next] = [lab.owner(), standbyOf(lab)];
    await lab.fault({ kind: 'stop-applier', server: next.name });
    await old.query("INSERT INTO lab.t (id) VALUES ('unapplied')");
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    await longEnough();
    await lab.fault({ kind: 'start-applier', server: next.name });
    await arrival(next, 'unapplied');
    await longEnough();
    expect(told).toEqual([]);
    await next.query("DELETE FROM lab.t WHERE id = 'unapplied'");
  });

  test('when the VIP is moved while the new primary has not received everything', async () => {
    const { db, told } = await openBusy();
    const [old, next] = [lab.owner(), standbyOf(lab)];
    await lab.fault({ kind: 'stop-receiver', server: next.name });
    await old.query("INSERT INTO lab.t (id) VALUES ('unsent')");
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    await longEnough();
    await lab.fault({ kind: 'start-receiver', server: next.name });
    await arrival(next, 'unsent');
    await longEnough();
    expect(told).toEqual([]);
    await next.query("DELETE FROM lab.t WHERE id = 'unsent'");
  });

  test('when a primary is restarted in place', async () => {
    const { db, told } = await openBusy();
    const { name } = lab.owner();
    await lab.fault({ kind: 'kill', server: name });
    await lab.fault({ kind: 'start', server: name });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    await longEnough();
    expect(told).toEqual([]);
  });

  test('when a standby could be written to and only gets what the primary writes', async () => {
    const { told } = await openBusy();
    await lab.fault({ kind: 'read-only', server: standbyOf(lab).name, on: false });
    await eventually('the standby', () => told.length > 0);
    await longEnough();
    expect(told).toEqual(['standby:writable']);
  });

  test('when both masters could be written to and the VIP moves', async () => {
    const { db, told } = await openBusy();
    await lab.fault({ kind: 'read-only', server: standbyOf(lab).name, on: false });
    await eventually('the standby', () => told.length === 1);
    const old = lab.owner();
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent', fence: false });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    await eventually('the other standby', () => told.length > 1);
    await longEnough();
    expect(told).toEqual(['standby:writable', 'standby:writable']);
    expect(db.status().masters.find(({ name }) => name === old.address)).toMatchObject({ writable: true });
  });
});
