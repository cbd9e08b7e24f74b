import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openServing } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

const timeoutMs = 1_500;
const limit = { timeoutMs };

/** How much later than its deadline an operation may end on a machine that is busy. */
const slackMs = 5_000;

/** Everything that waits for a server. `pause` ends when the servers have fallen silent. */
const operations: Readonly<Record<string, (db: Cluster, pause: () => Promise<void>) => Promise<unknown>>> = {
  query: (db) => db.primary().query('SELECT 1', [], limit),
  execute: (db) => db.primary().execute('UPDATE t SET n = n + 1 WHERE id = 1', [], limit),
  'a write that may be repeated': (db) =>
    db.primary().execute('UPDATE t SET n = 5 WHERE id = 2', [], { ...limit, idempotent: true }),
  'a write that invalidates': (db) =>
    db.primary().execute('UPDATE t SET n = 5 WHERE id = 3', [], { ...limit, invalidates: { keys: ['k'] } }),
  stream: (db) => readAll(db.primary().stream('SELECT * FROM t', [], limit)),
  'a stream that is read slowly': async (db, pause) => {
    for await (const _ of db.primary().stream('SELECT * FROM t', [], limit)) await pause();
  },
  connection: (db, pause) =>
    db.primary().connection(async (connection) => {
      await pause();
      await connection.query('SELECT 1', [], limit);
    }, limit),
  transaction: (db, pause) =>
    db.transaction(async (tx) => {
      await tx.execute('UPDATE t SET n = n + 1 WHERE id = 4');
      await pause();
      await tx.execute('UPDATE t SET n = n + 1 WHERE id = 5');
    }),
  COMMIT: (db, pause) =>
    db.transaction(async (tx) => {
      await tx.execute('UPDATE t SET n = n + 1 WHERE id = 6');
      await pause();
    }),
  'COMMIT of a transaction that invalidates': (db, pause) =>
    db.transaction(async (tx) => {
      tx.invalidates({ keys: ['k'] });
      await tx.execute('UPDATE t SET n = n + 1 WHERE id = 7');
      await pause();
    }),
  'COMMIT with exactlyOnce': (db, pause) =>
    db.transaction(
      async (tx) => {
        await tx.execute('UPDATE t SET n = n + 1 WHERE id = 8');
        await pause();
      },
      { exactlyOnce: true },
    ),
  'a savepoint': (db, pause) =>
    db.transaction((tx) =>
      tx.savepoint(async () => {
        await pause();
        throw new Error('undo');
      }),
    ),
  'what a closure throws': (db, pause) =>
    db.transaction(async (tx) => {
      await tx.execute('UPDATE t SET n = n + 1 WHERE id = 9');
      await pause();
      throw new Error('roll back');
    }),
  'a read on a replica': (db) => db.replica().query('SELECT 1', [], limit),
  'a strong read': (db) => db.replica({ consistency: 'strong' }).query('SELECT 1', [], limit),
  'a stream of a replica': (db) => readAll(db.replica().stream('SELECT * FROM t', [], limit)),
  'a snapshot': (db, pause) =>
    db.replica().snapshot(async (snapshot) => {
      await pause();
      await snapshot.query('SELECT 1');
    }, limit),
  'a read of what was just written': (db, pause) =>
    db.session(async () => {
      await db.primary().execute('UPDATE t SET n = n + 1 WHERE id = 10', [], limit);
      await pause();
      await db.replica().query('SELECT 1', [], limit);
    }),
  auto: (db) => db.auto().query('SELECT n FROM t', [], limit),
  'a cached read': (db) => db.replica().cached().query('SELECT n FROM t', [], limit),
  'a value for the cache': (db) => db.cache.read('k', (source) => source.replica().query('SELECT 1'), limit),
  'an invalidation': (db) => db.cache.invalidate({ keys: ['k'] }),
  'the ledger': (db) => db.createLedger(limit),
  ready: (db) => db.ready(limit),
};

async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

describe.each(labVendors)('when servers on %s fall silent', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 2 });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 0)');
    const ids = Array.from({ length: 200 }, (_, i) => `(${i})`);
    await lab.owner().query(`INSERT INTO lab.t (id) VALUES ${ids.join()}`);
    await lab.heal();
  });

  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const silences: Readonly<Record<string, () => Promise<void>>> = {
    'the VIP': () => lab.fault({ kind: 'black-hole' }),
    'the primary, the replicas and Redis': async () => {
      const servers = [lab.owner().name, ...lab.replicas.map(({ name }) => name), 'redis'] as const;
      for (const server of servers) await lab.fault({ kind: 'freeze', server });
    },
  };

  test.each(Object.keys(silences))('every operation ends, whenever it began: %s', async (silence) => {
    const db = await openServing(lab, {
      timeoutMs,
      transactionTimeoutMs: timeoutMs,
      pool: { max: 40 },
      cache: { redis: lab.redisUrl ?? '' },
    });
    await db.createLedger();
    let fall: () => void = () => {};
    const fallen = new Promise<void>((resolve) => {
      fall = resolve;
    });
    const [begun, ended] = [new Set<string>(), new Set<string>()];
    const begin = (when: string, pause: () => Promise<void>): void => {
      for (const [operation, run] of Object.entries(operations)) {
        const name = `${when}: ${operation}`;
        begun.add(name);
        run(db, pause)
          .catch(() => undefined)
          .finally(() => ended.add(name));
      }
    };
    let paused = 0;
    begin('before', async () => {
      paused += 1;
      await fallen;
    });
    await eventually('those that pause do', () => paused >= 8);
    await silences[silence]?.();
    fall();
    begin('after', async () => {});
    const running = (): string[] => [...begun].filter((name) => !ended.has(name));
    await expect.poll(running, { timeout: timeoutMs + slackMs }).toEqual([]);
    const closing = performance.now();
    await db.close({ timeoutMs: 0 });
    expect(performance.now() - closing).toBeLessThan(slackMs);
  });
});
