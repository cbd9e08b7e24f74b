import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EventName, VipsqlError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection, sleep } from '../../support/cluster.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 2, redis: false, serverOptions: ['--max-connections=40'] });
  await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
  await lab.heal();
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

describe('events', () => {
  test('tell the course of a failover', async () => {
    const db = openCluster(lab);
    const opened = recordEvents(db, 'epoch:opened');
    const interrupted = recordEvents(db, 'primary:interrupted');
    await db.ready();
    const before = lab.owner();
    await lab.fault({ kind: 'kill', server: before.name });
    await lab.fault({ kind: 'failover', gapMs: 300, readOnlyMs: 100 });
    await eventually('the new epoch', () => opened.length === 2);
    expect(interrupted).toHaveLength(1);
    expect(interrupted[0]).toMatchObject({ epoch: 1 });
    expect(opened[1]).toMatchObject({ epoch: 2, previous: opened[0]?.server });
    expect(opened[1]?.interruptedMs).toBeGreaterThan(200);
  });

  test('tell of a primary that pauses and goes on', async () => {
    const db = openCluster(lab);
    const interrupted = recordEvents(db, 'primary:interrupted');
    const resumed = recordEvents(db, 'primary:resumed');
    await db.ready();
    const { name } = lab.owner();
    await lab.fault({ kind: 'read-only', server: name, on: true });
    await eventually('the interruption', () => interrupted.length === 1);
    await lab.fault({ kind: 'read-only', server: name, on: false });
    await eventually('the end of it', () => resumed.length === 1);
    expect(interrupted[0]).toMatchObject({ epoch: 1, reason: 'read-only' });
    expect(resumed[0]).toMatchObject({ epoch: 1 });
  });

  test('tell of a replica that goes and comes back, and of reads that fall back to the primary', async () => {
    const db = openCluster(lab);
    const down = recordEvents(db, 'replica:down');
    const up = recordEvents(db, 'replica:up');
    const fallback = recordEvents(db, 'fallback:started');
    const over = recordEvents(db, 'fallback:ended');
    await eventually('both replicas', () => up.length === 2);
    for (const { name } of lab.replicas) await lab.fault({ kind: 'kill', server: name });
    await eventually('both down', () => down.length === 2);
    const info = await db.replica().queryWithInfo('SELECT 1');
    expect(info.server).toContain(lab.vip.host);
    expect(fallback).toHaveLength(1);
    expect(await rejection(db.replica().query('DELETE FROM t' as string))).toMatchObject({
      code: 'VIPSQL_REPLICA_READ_ONLY',
    });
    await lab.heal();
    await eventually('both back', () => up.length === 4);
    await db.replica().query('SELECT 1');
    expect(over).toHaveLength(1);
  });

  test('tell of a retry, and of a write in doubt', async () => {
    const db = openCluster(lab);
    const retries = recordEvents(db, 'operation:retry');
    const doubts = recordEvents(db, 'operation:in-doubt');
    await db.ready();
    const killSleepers = async (): Promise<void> => {
      await sleep(150);
      for (const { id } of await lab
        .owner()
        .query(
          "SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(3)%' AND info NOT LIKE '%processlist%'",
        )) {
        await lab.owner().query(`KILL ${id}`);
      }
    };
    const read = db.primary().query('SELECT SLEEP(3)', [], { idempotent: true, timeoutMs: 4_000 });
    await killSleepers();
    await read;
    expect(retries).toMatchObject([{ role: 'primary', attempt: 1, outcome: 'unknown' }]);
    const write = rejection(db.primary().execute('INSERT INTO t VALUES (1 + SLEEP(3))'));
    await killSleepers();
    expect(await write).toMatchObject({ code: 'VIPSQL_IN_DOUBT' });
    expect(doubts).toHaveLength(1);
  });

  test('tell of a pool that is larger than the server allows', async () => {
    const db = openCluster(lab, { pool: { max: 50 } });
    const tooLarge = recordEvents(db, 'pool:too-large');
    await db.ready();
    await db.replica().query('SELECT 1');
    await eventually('one for each server', () => tooLarge.length >= 2);
    expect(tooLarge[0]).toMatchObject({ poolMax: 50, maxConnections: 40 });
  });

  test('a listener that throws disturbs nobody', async () => {
    const db = openCluster(lab);
    const warned = new Promise((resolve) => process.once('warning', resolve));
    db.on('epoch:opened', () => {
      throw new Error('from the listener');
    });
    await db.ready();
    expect(await db.primary().value('SELECT 1')).toBe(1);
    expect(await warned).toMatchObject({ message: 'from the listener' });
  });

  test('once and off do what they say', async () => {
    const db = openCluster(lab);
    const seen: EventName[] = [];
    const listener = (): void => {
      seen.push('epoch:opened');
    };
    db.once('epoch:opened', listener);
    db.on('primary:interrupted', listener);
    db.off('primary:interrupted', listener);
    await db.ready();
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    expect(seen).toEqual(['epoch:opened']);
  });
});

test('every error is a VipsqlError with its facts', async () => {
  const db = openCluster(lab);
  const error = await rejection(db.primary().query('SELECT nothing'));
  expect(error).toBeInstanceOf(VipsqlError);
  expect(error).toMatchObject({ epoch: 1, attempts: 1, server: expect.stringContaining(lab.vip.host) });
});
