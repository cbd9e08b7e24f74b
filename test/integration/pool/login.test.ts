import { createConnection, type Connection as RawConnection } from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PrimaryUnavailableError } from '../../../src/index.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection, sleep } from '../../support/cluster.ts';
import { ErrorGreeter } from './error-greeter.ts';
import { ConnectorFixture, failureOf, PoolFixture } from './pool-fixture.ts';
import { appSessions, statusNumber } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** What one process may leave unfinished at one address. */
const unfinishedMax = 20;

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false, serverOptions: ['--max-connections=30'] });
  await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
  await lab.heal();
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

describe('an address that accepts connections and greets nobody', () => {
  test('ends each operation at its deadline, and holds at most 20 logins however long it lasts', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    proxy.manner = 'hold';
    const abortedBefore = await statusNumber(lab.owner(), 'Aborted_connects');
    const db = openCluster(lab, {
      primary: proxy.address,
      failover: { heartbeatMs: 40 },
      loginTimeoutMs: 300,
    });
    const ready = db.ready({ timeoutMs: 30_000 });
    ready.catch(() => {});
    let ended = 0;
    const began = performance.now();
    // Until the 20 are reached, and then on: the last 8 come one a second.
    while (performance.now() - began < 11_000) {
      const startedAt = performance.now();
      const errors = await Promise.all([
        rejection(db.primary().execute('INSERT INTO t VALUES (1)', [], { timeoutMs: 800 })),
        rejection(db.primary().query('SELECT 1', [], { timeoutMs: 800 })),
      ]);
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      for (const error of errors) {
        expect(error, String(error)).toBeInstanceOf(PrimaryUnavailableError);
        expect(error).toMatchObject({ outcome: 'not-executed' });
      }
      ended += errors.length;
    }
    expect(ended).toBeGreaterThanOrEqual(14);
    expect(proxy.all).toHaveLength(unfinishedMax);
    expect(proxy.open).toHaveLength(unfinishedMax);

    proxy.release();
    const releasedAt = performance.now();
    await ready;
    expect(performance.now() - releasedAt).toBeLessThan(3_000);
    expect(await db.primary().value('SELECT 1')).toBe(1);
    // Each of the 20 is greeted now, logs in, and is said goodbye to.
    await eventually(
      'the end of those that are not needed',
      async () => (await appSessions(lab)).length <= 3,
    );
    expect(await statusNumber(lab.owner(), 'Aborted_connects')).toBe(abortedBefore);
  });

  test('is dialled again once it has closed what it left without a greeting', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    proxy.manner = 'hold';
    const fixture = new ConnectorFixture({ ...lab.config(), primary: proxy.address, loginTimeoutMs: 100 });
    const failures = await Promise.all(
      Array.from({ length: 30 }, () => failureOf(fixture.connect(new Deadline(5_000)))),
    );
    for (const failure of failures) {
      expect(failure).toMatchObject({ kind: 'connect', outcome: 'not-executed', reason: 'ETIMEDOUT' });
    }
    expect(proxy.all).toHaveLength(unfinishedMax);
    expect(await failureOf(fixture.connect())).toMatchObject({
      message: expect.stringContaining('greets nobody'),
    });
    expect(proxy.all).toHaveLength(unfinishedMax);

    proxy.manner = 'forward';
    proxy.cut();
    await eventually('the guard to notice', async () => {
      const connection = await fixture.connect().catch(() => undefined);
      connection?.quit();
      return connection !== undefined;
    });
    fixture.close();
  });
});

describe('a server that has as many connections as it may have', () => {
  test('is asked less and less often, and again when there is room', async () => {
    const { host, port } = lab.owner();
    const others: RawConnection[] = [];
    const occupy = async (): Promise<boolean> => {
      const other = createConnection({ host, port, user: lab.user, password: lab.password });
      return await new Promise((resolve) => {
        other.on('error', () => resolve(false));
        other.once('connect', () => {
          others.push(other);
          resolve(true);
        });
      });
    };
    while (await occupy());
    expect(others.length).toBeGreaterThan(10);

    await using proxy = await TcpProxy.start(lab.owner(), { delayMs: 80 });
    const db = openCluster(lab, { primary: proxy.address, failover: { heartbeatMs: 100 } });
    const waiting = Promise.all(
      Array.from({ length: 50 }, () => db.primary().value('SELECT 1', [], { timeoutMs: 20_000 })),
    );
    waiting.catch(() => {});
    await sleep(4_000);
    // After 0, 250, 750 and 1 750 ms, and the next after 3 750 ms; each takes 80 ms, in which no other one tries.
    expect(proxy.all.length).toBeLessThanOrEqual(6);
    expect(proxy.all.length).toBeGreaterThanOrEqual(3);
    const error = await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 100 }));
    expect(error).toMatchObject({
      outcome: 'not-executed',
      message: expect.stringMatching(/too many connections|takes no more/i),
    });

    for (const other of others) other.destroy();
    expect(new Set(await waiting)).toEqual(new Set([1]));
  });
});

describe('a server that has banned this host', () => {
  test('is the event host:blocked, and is asked less and less often', async () => {
    // A peer of the test's own: the real server never bans loopback.
    await using greeter = await ErrorGreeter.start({
      errno: 1129,
      message:
        "Host '127.0.0.1' is blocked because of many connection errors; unblock with 'mariadb-admin flush-hosts'",
    });
    const db = openCluster(lab, { primary: greeter.address, failover: { heartbeatMs: 100 } });
    const blocked = recordEvents(db, 'host:blocked');
    const error = await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 3_000 }));
    expect(error).toMatchObject({
      outcome: 'not-executed',
      message: expect.stringContaining('is blocked'),
    });
    expect(greeter.accepted).toBeGreaterThanOrEqual(3);
    expect(greeter.accepted).toBeLessThanOrEqual(5);
    expect(blocked.length).toBe(greeter.accepted);
    expect(blocked[0]).toMatchObject({
      server: greeter.address,
      remedy: expect.stringContaining('FLUSH HOSTS'),
    });
  });
});

describe('logins in progress', () => {
  test('are at most two for a pool, however many wait while its epoch opens', async () => {
    await using proxy = await TcpProxy.start(lab.vip, { delayMs: 20 });
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 10, min: 2 } });
    const waiting = Array.from({ length: 100 }, () => db.primary().value('SELECT SLEEP(0.05)'));
    await Promise.all(waiting);
    expect(proxy.peakLogins).toBe(2);
    expect(proxy.all).toHaveLength(11);
  });

  test('are at most two for a pool by itself, and its connections all come', async () => {
    await using proxy = await TcpProxy.start(lab.owner(), { delayMs: 20 });
    const fixture = new PoolFixture({ ...lab.config(), primary: proxy.address, pool: { max: 20, min: 0 } });
    await fixture.openConnections(20);
    expect(proxy.peakLogins).toBe(2);
    expect(proxy.all).toHaveLength(20);
  });
});
