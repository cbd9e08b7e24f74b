import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  AbortedError,
  ConnectError,
  InDoubtError,
  PrimaryUnavailableError,
  QueueFullError,
  TimeoutError,
  VipsqlError,
} from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 2, redis: false });
  await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY, n INT NOT NULL DEFAULT 0)');
  await lab.heal();
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

describe('a statement that takes too long', () => {
  test('is stopped on the server shortly before its deadline, and its outcome is known', async () => {
    const db = openCluster(lab);
    await lab.owner().query("INSERT IGNORE INTO lab.t VALUES ('slow', 0)");
    const error = await rejection(
      db.primary().execute("UPDATE t SET n = n + 1 + SLEEP(20) WHERE id = 'slow'", [], { timeoutMs: 400 }),
    );
    expect(error, String(error)).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ outcome: 'rolled-back', phase: 'answer' });
    expect(await db.primary().value("SELECT n FROM t WHERE id = 'slow'")).toBe(0);
    expect(
      await lab
        .owner()
        .query(
          "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%SLEEP(20)%' AND info NOT LIKE '%processlist%'",
        ),
    ).toEqual([]);
  });

  test('on a frozen server ends at its deadline, in doubt when it writes', async () => {
    const db = openCluster(lab);
    await Promise.all([1, 2, 3].map((n) => db.primary().query('SELECT ?', [n])));
    const { name } = lab.owner();
    await lab.fault({ kind: 'freeze', server: name });
    const began = performance.now();
    const [write, read] = await Promise.all([
      rejection(db.primary().execute("INSERT INTO t (id) VALUES ('frozen')", [], { timeoutMs: 800 })),
      rejection(db.primary().query('SELECT 1', [], { timeoutMs: 800, idempotent: true })),
    ]);
    const tookMs = performance.now() - began;
    await lab.fault({ kind: 'thaw', server: name });
    expect(write, String(write)).toBeInstanceOf(InDoubtError);
    expect(read, String(read)).toBeInstanceOf(VipsqlError);
    expect(tookMs).toBeLessThan(4_000);
  });

  test('of a transaction ends at the deadline of that while the VIP is silent, whatever it was', async () => {
    const db = openCluster(lab, { transactionTimeoutMs: 1_500 });
    await db.ready();
    const began = performance.now();
    let begun = 0;
    let silence: Promise<void> | undefined;
    const whenSilent = async (): Promise<void> => {
      begun += 1;
      await eventually('both have begun', () => begun === 2);
      silence ??= lab.fault({ kind: 'black-hole' });
      await silence;
    };
    const silent = await Promise.all([
      rejection(
        db.transaction(async (tx) => {
          await tx.execute("INSERT INTO t (id) VALUES ('commit')");
          await whenSilent();
        }),
      ),
      rejection(
        db.transaction(async (tx) => {
          await tx.execute("INSERT INTO t (id) VALUES ('statement')");
          await whenSilent();
          await tx.execute("UPDATE t SET n = 1 WHERE id = 'statement'");
        }),
      ),
    ]);
    const tookMs = performance.now() - began;
    await lab.heal();
    expect(silent[0], String(silent[0])).toBeInstanceOf(InDoubtError);
    expect(silent[1], String(silent[1])).toBeInstanceOf(VipsqlError);
    expect(tookMs).toBeLessThan(6_000);
  });

  test('ends at once when its signal fires', async () => {
    const db = openCluster(lab);
    await db.ready();
    const abort = new AbortController();
    const reason = new Error('the user left');
    setTimeout(() => abort.abort(reason), 100);
    const began = performance.now();
    const error = await rejection(db.primary().query('SELECT SLEEP(20)', [], { signal: abort.signal }));
    expect(error).toMatchObject({ cause: expect.anything() });
    expect(performance.now() - began).toBeLessThan(4_000);
    const waiting = await rejection(db.replica().query('SELECT 1', [], { signal: abort.signal }));
    expect(waiting).toBeInstanceOf(AbortedError);
    expect(waiting).toMatchObject({ cause: reason, outcome: 'not-executed' });
    await eventually('nothing in use', () => db.status().primary.inUse === 0);
  });

  test('DDL has no deadline unless it is given one', async () => {
    const db = openCluster(lab, { timeoutMs: 600 });
    await db.ready();
    await db.primary().connection(async (blocker) => {
      await blocker.query('BEGIN');
      await blocker.query("SELECT * FROM t WHERE id = 'x'");
      const altered = db.primary().query('ALTER TABLE t COMMENT = "longer than timeoutMs"');
      await sleep(1_200);
      await blocker.query('COMMIT');
      expect(await altered).toEqual([]);
    });
  });
});

describe('a pool that is too small', () => {
  test('turns away at once what exceeds maxWaiting, and times out what waits too long', async () => {
    const db = openCluster(lab, { pool: { max: 1, min: 0, maxWaiting: 1 } });
    await db.ready();
    await db.primary().connection(async () => {
      const waiting = rejection(db.primary().query('SELECT 1', [], { timeoutMs: 300 }));
      const refused = await rejection(db.primary().query('SELECT 2'));
      expect(refused).toBeInstanceOf(QueueFullError);
      expect(refused).toMatchObject({ outcome: 'not-executed' });
      expect(await waiting).toMatchObject({ code: 'VIPSQL_TIMEOUT', phase: 'connection' });
    });
    expect(await db.primary().value('SELECT 3')).toBe(3);
  });
});

describe('a login that cannot succeed', () => {
  test('fails at once with what the server said, and not at the deadline', async () => {
    const db = openCluster(lab, { password: 'wrong', timeoutMs: 8_000 });
    const began = performance.now();
    const errors = await Promise.all([rejection(db.primary().query('SELECT 1')), rejection(db.ready())]);
    for (const error of errors) {
      expect(error, String(error)).toBeInstanceOf(ConnectError);
      expect(String(error)).not.toContain('wrong');
      expect(error).toMatchObject({
        server: lab.config().primary,
        message: expect.stringContaining(lab.config().primary),
      });
    }
    expect(performance.now() - began).toBeLessThan(6_000);
  });
});

describe('a cluster whose servers are all down', () => {
  test('ends each operation at its deadline without burning CPU, and recovers when they return', async () => {
    const db = openCluster(lab, { timeoutMs: 1_000 });
    await db.ready();
    await db.replica().query('SELECT 1');
    for (const { name } of [...lab.masters, ...lab.replicas]) await lab.fault({ kind: 'kill', server: name });
    await sleep(200);

    const cpu = process.cpuUsage();
    const began = performance.now();
    let ticks = 0;
    const ticker = setInterval(() => {
      ticks += 1;
    }, 10);
    const errors = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        rejection(i % 2 === 0 ? db.primary().query('SELECT 1') : db.replica().query('SELECT 1')),
      ),
    );
    const tookMs = performance.now() - began;
    clearInterval(ticker);
    const { user, system } = process.cpuUsage(cpu);

    for (const error of errors) {
      expect(error, String(error)).toBeInstanceOf(VipsqlError);
      expect(error).toMatchObject({ outcome: 'not-executed' });
    }
    expect(errors[0], String(errors[0])).toBeInstanceOf(PrimaryUnavailableError);
    expect(tookMs).toBeLessThan(5_000);
    // Of a hundred; a loop that starves sees one or two.
    expect(ticks).toBeGreaterThan(15);
    expect((user + system) / 1_000).toBeLessThan(tookMs * 0.6);

    await lab.heal();
    await eventually('the primary to answer', async () => {
      const value = await db
        .primary()
        .value('SELECT 1')
        .catch(() => undefined);
      return value === 1;
    });
    await eventually('a replica to answer', async () => {
      const info = await db
        .replica()
        .queryWithInfo('SELECT 1')
        .catch(() => undefined);
      return info !== undefined && lab.replicas.some(({ host }) => info.server.includes(host));
    });
  });
});

describe('1,000 operations on a pool of 10, with aborts and faults', () => {
  test('all settle, and every connection comes back', async () => {
    const db = openCluster(lab, { timeoutMs: 3_000, pool: { max: 10, min: 2 } });
    await db.ready();
    const random = mulberry(20261122);
    const faults = (async () => {
      await sleep(150);
      await lab.fault({ kind: 'move-vip', oldConnections: 'silent', readOnlyMs: 50 });
      await sleep(300);
      await lab.fault({ kind: 'kill', server: 'r1' });
      await lab.fault({ kind: 'freeze', server: 'r2' });
      await sleep(300);
      await lab.fault({ kind: 'thaw', server: 'r2' });
    })();
    const settled = await Promise.allSettled(
      Array.from({ length: 1_000 }, async (_, i) => {
        await sleep(random() * 1_000);
        const abort = new AbortController();
        const timer = setTimeout(() => abort.abort(), random() < 0.2 ? random() * 60 : 10_000);
        const options = { signal: abort.signal };
        try {
          if (i % 10 === 0) {
            return await db.transaction(async (tx) => {
              await tx.execute('INSERT INTO t (id) VALUES (?)', [`tx-${i}`]);
              return await tx.value('SELECT SLEEP(0.01)');
            }, options);
          }
          if (i % 10 === 1) {
            let rows = 0;
            for await (const _row of db.replica().stream('SELECT id FROM t', [], options)) rows += 1;
            return rows;
          }
          if (i % 3 === 0)
            return await db.primary().execute('INSERT INTO t (id) VALUES (?)', [`one-${i}`], options);
          if (i % 3 === 1)
            return await db.primary().query('SELECT SLEEP(0.005)', [], { ...options, idempotent: true });
          return await db.replica().query('SELECT SLEEP(0.005)', [], options);
        } finally {
          clearTimeout(timer);
        }
      }),
    );
    await faults;
    expect(settled).toHaveLength(1_000);
    const failures = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    for (const error of failures) expect(error, String(error)).toBeInstanceOf(VipsqlError);
    expect(failures.length).toBeLessThan(1_000);
    await eventually('nothing in use', () => {
      const { primary, replicas, running } = db.status();
      return primary.inUse === 0 && running === 0 && replicas.every(({ inUse }) => inUse === 0);
    });
    expect(db.status().primary).toMatchObject({ inUse: 0, waiting: 0, waitingForPrimary: 0 });
  });
});

/** A small seeded generator, so that a failure can be played again. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
