import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QueueFullError } from '../../../src/index.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { Failed } from '../../../src/resilience/failed.ts';
import type { Failure } from '../../../src/resilience/failures.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';
import { failureOf, PoolFixture, stateOf, valueOn } from './pool-fixture.ts';
import { appSessions } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
  await lab.owner().query('CREATE TABLE lab.t (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(40))');
  await lab.heal();
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

const openPool = (
  pool: { max: number; min?: number; maxWaiting?: number; idleMs?: number },
  primary?: string,
): PoolFixture =>
  new PoolFixture({ ...lab.config(), ...(primary !== undefined && { primary }), pool: { min: 0, ...pool } });

describe('a waiter', () => {
  test('leaves at its deadline or by its signal, while those behind it are served', async () => {
    const fixture = openPool({ max: 2 });
    const { pool } = fixture;
    const lent = [await fixture.acquire(), await fixture.acquire()];
    const abort = new AbortController();
    const served: string[] = [];
    const wait = async (name: string, timeoutMs: number, signal?: AbortSignal): Promise<Connection> => {
      const connection = await fixture.acquire(timeoutMs, signal);
      served.push(name);
      return connection;
    };
    const first = wait('first', 10_000);
    const tooLate = failureOf(wait('too late', 100));
    const aborted = failureOf(wait('aborted', 10_000, abort.signal));
    const last = wait('last', 10_000);
    expect(pool.waiting).toBe(4);

    setTimeout(() => abort.abort(), 50);
    expect(await aborted).toMatchObject({ kind: 'aborted', outcome: 'not-executed' });
    expect(await tooLate).toMatchObject({ kind: 'timeout', outcome: 'not-executed' });
    expect(pool.waiting).toBe(2);
    for (const connection of lent) pool.release(connection);
    for (const connection of [await first, await last]) pool.release(connection);
    expect(served).toEqual(['first', 'last']);

    expect(stateOf(pool)).toMatchObject({ inUse: 0, waiting: 0 });
    await fixture.openConnections(2);
    expect(pool.open).toBe(2);
  });

  test('that leaves while its connection is being opened takes no slot with it', async () => {
    await using proxy = await TcpProxy.start(lab.owner(), { delayMs: 100 });
    const fixture = openPool({ max: 1 }, proxy.address);
    for (let i = 0; i < 3; i += 1) {
      expect(await failureOf(fixture.acquire(60))).toMatchObject({ kind: 'timeout', phase: 'connection' });
    }
    const connection = await fixture.acquire();
    expect(proxy.all).toHaveLength(1);
    fixture.pool.release(connection);
    expect(stateOf(fixture.pool)).toMatchObject({ inUse: 0, waiting: 0, open: 1 });
  });

  test('is turned away when as many wait as may', async () => {
    const fixture = openPool({ max: 1, maxWaiting: 3 });
    const lent = await fixture.acquire();
    const waiting = [1, 2, 3].map(() => fixture.acquire());
    expect(await rejection(fixture.acquire())).toBeInstanceOf(QueueFullError);
    expect(fixture.pool.waiting).toBe(3);
    fixture.pool.release(lent);
    for (const connection of waiting) fixture.pool.release(await connection);
    fixture.pool.release(await fixture.acquire());
  });
});

describe('maxWaiting', () => {
  test.each([
    [0, 5],
    [2, 5],
  ])('%i lets so many wait beside those for whom a connection can be opened', async (maxWaiting, max) => {
    const fixture = openPool({ max, maxWaiting });
    const welcome = Promise.all(
      Array.from({ length: max + maxWaiting }, async () => {
        const connection = await fixture.acquire();
        await valueOn(connection, 'SELECT SLEEP(0.01)');
        fixture.pool.release(connection);
      }),
    );
    welcome.catch(() => {});
    expect(await rejection(fixture.acquire())).toBeInstanceOf(QueueFullError);
    await welcome;
    expect(stateOf(fixture.pool)).toMatchObject({ inUse: 0, waiting: 0 });
    expect(fixture.pool.open).toBeLessThanOrEqual(max);
  });
});

describe('the bound', () => {
  test('holds on the server under 200 concurrent operations', async () => {
    const db = openCluster(lab, { pool: { max: 10, min: 2 } });
    await db.ready();
    let most = 0;
    let done = false;
    const counting = (async () => {
      while (!done) most = Math.max(most, (await appSessions(lab)).length);
    })();
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        i % 20 === 0
          ? // Its reset and its taint make connections come and go.
            db.primary().connection((connection) => connection.query('SELECT SLEEP(0.02)'))
          : db.primary().query('SELECT SLEEP(0.02)'),
      ),
    );
    done = true;
    await counting;
    // One more is the watch's.
    expect(most).toBeLessThanOrEqual(11);
    expect(most).toBeGreaterThan(8);
    expect(db.status().primary).toMatchObject({ open: 10, inUse: 0, waiting: 0 });
  });

  test('holds while connections break and the pool replaces them', async () => {
    const fixture = openPool({ max: 4 });
    let most = 0;
    let done = false;
    const callers = Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 10; i += 1) {
        const connection = await fixture.acquire();
        await valueOn(connection, 'SELECT SLEEP(0.005)').catch(() => undefined);
        if (i % 3 === 0) connection.destroy();
        most = Math.max(most, fixture.pool.open);
        fixture.pool.release(connection);
      }
    });
    const all = Promise.all(callers).finally(() => {
      done = true;
    });
    while (!done) {
      expect(fixture.pool.inUse).toBeLessThanOrEqual(4);
      await sleep(2);
    }
    await all;
    expect(most).toBeLessThanOrEqual(4);
    expect(stateOf(fixture.pool)).toMatchObject({ inUse: 0, waiting: 0 });
  });
});

describe('a failed login', () => {
  test('that finds nobody waiting any more leaves no trace, however close it comes to a release', async () => {
    const { settings } = openPool({ max: 2, idleMs: 100 });
    const pools = await Promise.all(
      Array.from({ length: 15 }, async (_, microtasks) => {
        const real = openPool({ max: 1 });
        let fail: (() => void) | undefined;
        let dials = 0;
        const pool = new Pool({
          name: 'the test',
          settings,
          connect: (deadline) => {
            dials += 1;
            if (dials === 1) return real.connect(deadline);
            return new Promise((_resolve, reject) => {
              fail = () => reject(new Failed(refused));
            });
          },
          onConnectFailure: () => {},
          onConnectionLost: () => {},
        });
        const lent = await pool.acquire(new Deadline(5_000));
        await failureOf(pool.acquire(new Deadline(20)));
        fail?.();
        for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
        pool.release(lent);
        return pool;
      }),
    );
    // All that rests is closed by now.
    await sleep(400);
    for (const pool of pools) {
      expect(stateOf(pool)).toEqual({ open: 0, inUse: 0, waiting: 0 });
      pool.discard(refused);
    }
  });
});

describe('an idle connection', () => {
  test('that the server has ended is not lent', async () => {
    const fixture = openPool({ max: 3 });
    const connections = await fixture.openConnections(3);
    for (const { id } of connections) await lab.owner().query(`KILL ${id}`);
    await eventually('the ends', () => fixture.losses === 3);
    const connection = await fixture.acquire();
    expect(connection.usable).toBe(true);
    expect(connections).not.toContain(connection);
    fixture.pool.release(connection);
  });

  test('that the server has ended leaves the next write free of doubt', async () => {
    const db = openCluster(lab, { pool: { max: 1, min: 0 } });
    const id = (await db.primary().value('SELECT CONNECTION_ID()')) as number;
    await lab.owner().query(`KILL ${id}`);
    await sleep(50);
    expect((await db.primary().execute("INSERT INTO t (note) VALUES ('after the kill')")).affectedRows).toBe(
      1,
    );
    expect(
      await lab.owner().query("SELECT COUNT(*) AS n FROM lab.t WHERE note = 'after the kill'"),
    ).toMatchObject([{ n: 1 }]);
  });

  test('that leads nowhere is found out before it is lent', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const fixture = openPool({ max: 1 }, proxy.address);
    const [dead] = await fixture.openConnections(1);
    proxy.all[0]?.silence();
    await sleep(600);
    const connection = await fixture.acquire();
    expect(connection).not.toBe(dead);
    expect(await valueOn(connection, 'SELECT 1')).toBe(1);
    fixture.pool.release(connection);
  });

  test('that does not answer keeps nobody beyond his deadline or signal', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const fixture = openPool({ max: 1 }, proxy.address);
    await fixture.openConnections(1);
    proxy.all[0]?.silence();
    await sleep(600);
    const began = performance.now();
    expect(await failureOf(fixture.acquire(100))).toMatchObject({ kind: 'timeout', outcome: 'not-executed' });
    expect(performance.now() - began).toBeLessThan(2_000);
    await eventually('the replacement', () => fixture.pool.inUse === 0);
    const connection = await fixture.acquire();
    expect(await valueOn(connection, 'SELECT 1')).toBe(1);
    fixture.pool.release(connection);
  });

  test('that has rested and answers is lent as it is', async () => {
    const fixture = openPool({ max: 1 });
    const [connection] = await fixture.openConnections(1);
    await sleep(600);
    const again = await fixture.acquire();
    expect(again).toBe(connection);
    fixture.pool.release(again);
  });
});

describe('ten idle connections that lead nowhere', () => {
  test('cost one wait, and not ten', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const fixture = openPool({ max: 10 }, proxy.address);
    await fixture.openConnections(10);
    for (const connection of proxy.all) connection.silence();
    await sleep(600);
    const began = performance.now();
    const connection = await fixture.acquire(20_000);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await valueOn(connection, 'SELECT 1')).toBe(1);
    fixture.pool.release(connection);
  });
});

describe('throwing a pool away', () => {
  test('ends every connection at once, in use or not, and all who wait', async () => {
    const fixture = openPool({ max: 3 });
    const { pool } = fixture;
    await fixture.openConnections(3);
    const [first, second, third] = [
      await fixture.acquire(),
      await fixture.acquire(),
      await fixture.acquire(),
    ];
    pool.release(third);
    const running = failureOf(first.run({ ...slow }, new Deadline(10_000)));
    await sleep(50);
    const began = performance.now();
    pool.discard({
      kind: 'lost',
      outcome: 'unknown',
      message: 'moved away',
      cause: undefined,
      connection: 'destroy',
    });
    expect(await running).toMatchObject({ outcome: 'unknown', message: 'moved away' });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect([first, second, third].map(({ usable }) => usable)).toEqual([false, false, false]);
    expect(await failureOf(second.run({ ...slow }, new Deadline(10_000)))).toMatchObject({
      outcome: 'not-executed',
    });
    pool.release(first);
    pool.release(second);
    expect(stateOf(pool)).toMatchObject({ inUse: 0, waiting: 0, open: 0 });
    await eventually('no session', async () => {
      await lab.owner().query('DO 1');
      return (await appSessions(lab)).length <= 1;
    });
  });

  test('lets nobody in any more, and says that nothing was executed', async () => {
    const fixture = openPool({ max: 1 });
    const lent = await fixture.acquire();
    const waiting = failureOf(fixture.acquire());
    fixture.close();
    expect(await waiting).toMatchObject({ outcome: 'not-executed' });
    fixture.pool.release(lent);
    expect(await failureOf(fixture.acquire())).toMatchObject({ outcome: 'not-executed' });
  });

  test('dials nobody for the logins that had not begun', async () => {
    await using proxy = await TcpProxy.start(lab.owner(), { delayMs: 50 });
    const fixture = openPool({ max: 10 }, proxy.address);
    const waiting = Array.from({ length: 10 }, () => failureOf(fixture.acquire()));
    await eventually('the first login', () => proxy.all.length === 1);
    fixture.pool.discard({
      kind: 'lost',
      outcome: 'unknown',
      message: 'moved away',
      cause: undefined,
      connection: 'destroy',
    });
    await Promise.all(waiting);
    await sleep(300);
    expect(proxy.all).toHaveLength(1);
    await eventually('its end', () => proxy.open.length === 0);
  });
});

const refused: Failure = {
  kind: 'connect',
  outcome: 'not-executed',
  message: 'refused',
  cause: undefined,
  connection: 'destroy',
};

const slow = { text: 'SELECT SLEEP(20)', statement: 'read', escapesText: false, phase: 'statement' } as const;
