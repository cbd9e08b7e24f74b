import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { InDoubtError, PrimaryUnavailableError, type VipsqlError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection, sleep } from '../../support/cluster.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
  await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY, n INT NOT NULL DEFAULT 0)');
});

afterEach(async () => {
  await lab.heal();
  await lab.owner().query('DELETE FROM lab.t');
  await lab.heal();
});

afterAll(() => lab.stop());

describe('a VIP that moves while the old connections fall silent', () => {
  test('ends a waiting query and lets the first write through, long before their deadlines', async () => {
    const db = openCluster(lab);
    await db.ready();
    const sleeper = rejection(db.primary().query('SELECT SLEEP(30)'));
    await sleep(300);
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent', readOnlyMs: 0 });
    const movedAt = performance.now();
    const write = db
      .primary()
      .execute("INSERT INTO t (id) VALUES ('first')", undefined, { idempotent: true });
    const writtenMs = await write.then(() => performance.now() - movedAt);
    const error = (await sleeper) as VipsqlError;
    const endedMs = performance.now() - movedAt;
    expect(error).toBeInstanceOf(InDoubtError);
    expect(error.outcome).toBe('unknown');
    expect(endedMs).toBeLessThan(3_000);
    expect(writtenMs).toBeLessThan(2_000);
  });

  test('opens a new epoch and leaves no connection of the old one', async () => {
    const db = openCluster(lab);
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    await Promise.all(Array.from({ length: 5 }, () => db.primary().query('SELECT 1')));
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    await eventually('the second epoch', () => epochs.length === 2);
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    const info = await db.primary().queryWithInfo('SELECT @@server_id AS id');
    expect(info.epoch).toBe(2);
    expect(info.rows).toEqual(await lab.owner().query('SELECT @@server_id AS id'));
  });
});

describe('a primary that is killed', () => {
  test('lets writes wait until the other master is promoted, and sends none twice', async () => {
    const db = openCluster(lab, { timeoutMs: 10_000 });
    await db.ready();
    const outcomes = new Map<string, string>();
    let stop = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; !stop; i += 1) {
        const id = `${writer}-${i}`;
        try {
          await db.primary().execute('INSERT INTO t (id) VALUES (?)', [id]);
          outcomes.set(id, 'done');
        } catch (error) {
          outcomes.set(id, (error as VipsqlError).outcome ?? String(error));
        }
        await sleep(5);
      }
    });
    await sleep(300);
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    await lab.fault({ kind: 'failover', gapMs: 500, readOnlyMs: 100 });
    await sleep(700);
    stop = true;
    await Promise.all(writers);
    const rows = await lab.owner().query('SELECT id FROM lab.t');
    const present = new Set(rows.map(({ id }) => id));
    const lost = [...outcomes].filter(([id, outcome]) => outcome === 'done' && !present.has(id));
    const misreported = [...outcomes].filter(
      ([id, outcome]) => outcome === 'not-executed' && present.has(id),
    );
    expect({ lost, misreported }).toEqual({ lost: [], misreported: [] });
    expect([...outcomes.values()].filter((outcome) => outcome === 'done').length).toBeGreaterThan(100);
    expect([...new Set(outcomes.values())].sort()).not.toContain('duplicate');
  });
});

describe('a primary that flips to read-only', () => {
  test('makes writes wait, keeps the epoch, and lets them go on when it is writable again', async () => {
    const db = openCluster(lab);
    const resumed = recordEvents(db, 'primary:resumed');
    await db.ready();
    const server = lab.owner().name;
    await lab.fault({ kind: 'read-only', server, on: true });
    const write = db.primary().execute("INSERT INTO t (id) VALUES ('later')");
    await sleep(300);
    expect(db.status().primary.state).toBe('interrupted');
    await lab.fault({ kind: 'read-only', server, on: false });
    expect((await write).affectedRows).toBe(1);
    expect(resumed).toHaveLength(1);
    expect(db.status().primary.epoch).toBe(1);
  });

  test('ends a write at its deadline with the reason', async () => {
    const db = openCluster(lab);
    await db.ready();
    const server = lab.owner().name;
    await lab.fault({ kind: 'read-only', server, on: true });
    const error = await rejection(
      db.primary().execute("INSERT INTO t (id) VALUES ('never')", undefined, { timeoutMs: 400 }),
    );
    expect(error, String(error)).toBeInstanceOf(PrimaryUnavailableError);
    expect(error).toMatchObject({ outcome: 'not-executed' });
  });
});

describe('a VIP that flaps', () => {
  test('A to B to A opens three epochs and revives no connection of the first', async () => {
    const db = openCluster(lab);
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    const ids = async (): Promise<Set<unknown>> => {
      const rows = await Promise.all(
        Array.from({ length: 10 }, () => db.primary().value('SELECT CONNECTION_ID() + SLEEP(0.02)')),
      );
      return new Set(rows);
    };
    const first = await ids();
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    await eventually('epoch 2', () => epochs.length === 2);
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    await eventually('epoch 3', () => epochs.length === 3);
    const third = await ids();
    expect([...third].filter((id) => first.has(id))).toEqual([]);
  });
});

describe('a primary that is restarted in place', () => {
  test('is a new epoch', async () => {
    const db = openCluster(lab);
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    const { name } = lab.owner();
    await lab.fault({ kind: 'kill', server: name });
    await lab.fault({ kind: 'start', server: name });
    await lab.heal();
    await eventually('the second epoch', () => epochs.length === 2);
    expect((await db.primary().execute("INSERT INTO t (id) VALUES ('x')")).epoch).toBe(2);
  });
});
