import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConnectError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';
import { killAppSessions } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
  await lab.owner().query('CREATE TABLE lab.t (id INT AUTO_INCREMENT PRIMARY KEY)');
  await lab.heal();
});

afterEach(async () => {
  await setPassword(lab.password);
  await lab.heal();
});

afterAll(() => lab.stop());

async function setPassword(password: string): Promise<void> {
  await lab.owner().query(`ALTER USER '${lab.user}'@'%' IDENTIFIED BY '${password}'`);
}

describe('a password that is a function', () => {
  test('is asked at each login, and awaited', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    let asked = 0;
    const db = openCluster(lab, {
      primary: proxy.address,
      pool: { max: 3, min: 3 },
      password: async () => {
        asked += 1;
        await sleep(10);
        return lab.password;
      },
    });
    await db.ready();
    await eventually('the pool', () => db.status().primary.open === 3);
    expect(proxy.all).toHaveLength(4);
    expect(asked).toBe(4);
  });

  test('follows a rotation while operations run', async () => {
    let current = lab.password;
    const db = openCluster(lab, { pool: { max: 4, min: 2 }, password: () => current });
    await db.ready();
    const failures: unknown[] = [];
    let written = 0;
    let running = true;
    const writers = Array.from({ length: 6 }, async () => {
      while (running) {
        await db
          .primary()
          .execute('INSERT INTO t () VALUES ()')
          .then(
            () => {
              written += 1;
            },
            (error: unknown) => failures.push(error),
          );
        await sleep(2);
      }
    });
    await eventually('some writes', () => written > 20);
    // What is open stays open; new logins need the new password, which the function does not know yet.
    await setPassword('rotated-secret');
    await lab.owner().query(`KILL ${await db.primary().value('SELECT CONNECTION_ID()')}`);
    await sleep(300);
    current = 'rotated-secret';
    const before = written;
    await eventually('more writes', () => written > before + 50);
    await killAppSessions(lab);
    const afterKill = written;
    await eventually('writes over new connections only', () => written > afterKill + 20);
    running = false;
    await Promise.all(writers);
    for (const error of failures) {
      expect(String(error)).not.toContain('secret');
      expect(error, String(error)).toMatchObject({ code: 'VIPSQL_IN_DOUBT' });
    }
    // Only what ran on a connection that was killed.
    expect(failures.length).toBeLessThanOrEqual(6);
  });

  test('fails operations at once when it throws, and serves them when it works again', async () => {
    let fails = true;
    const db = openCluster(lab, {
      timeoutMs: 8_000,
      password: async () => {
        if (fails) throw new Error('the secret store is down');
        return lab.password;
      },
    });
    const began = performance.now();
    const errors = await Promise.all([
      rejection(db.primary().execute('INSERT INTO t () VALUES ()')),
      rejection(db.ready()),
    ]);
    expect(performance.now() - began).toBeLessThan(5_000);
    for (const error of errors) {
      expect(error, String(error)).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({
        outcome: 'not-executed',
        message: expect.stringContaining('the secret store is down'),
        cause: expect.objectContaining({ message: 'the secret store is down' }),
      });
    }
    fails = false;
    await eventually('an operation to succeed', async () => {
      const value = await db
        .primary()
        .value('SELECT 1')
        .catch(() => undefined);
      return value === 1;
    });
  });

  test('that throws synchronously is no different', async () => {
    const db = openCluster(lab, {
      password: () => {
        throw new Error('no such secret');
      },
    });
    expect(await rejection(db.primary().query('SELECT 1'))).toBeInstanceOf(ConnectError);
  });

  test('that never answers ends operations at their deadline, and dials nobody meanwhile', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    let hangs = true;
    const db = openCluster(lab, {
      primary: proxy.address,
      loginTimeoutMs: 300,
      password: () => (hangs ? new Promise<string>(() => {}) : lab.password),
    });
    const began = performance.now();
    const error = await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 700 }));
    expect(error).toMatchObject({ outcome: 'not-executed', message: expect.stringContaining('password') });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(proxy.all).toHaveLength(0);
    hangs = false;
    await db.ready();
  });

  test('that takes longer than the server has patience costs no login', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, {
      primary: proxy.address,
      pool: { min: 0 },
      password: async () => {
        await sleep(150);
        // As a server does that has waited long enough for the answer to its greeting.
        proxy.cut();
        return lab.password;
      },
    });
    await db.ready();
    expect(proxy.all).toHaveLength(1);
  });

  test('that fails does not disturb operations for which a connection comes free', async () => {
    let fails = false;
    const db = openCluster(lab, {
      pool: { max: 4, min: 0 },
      password: async () => {
        if (fails) throw new Error('the secret store is down');
        return lab.password;
      },
    });
    await db.primary().value('SELECT 1');
    fails = true;
    // One connection is open and three more may be, but cannot.
    const values = await Promise.all(
      Array.from({ length: 8 }, (_, n) => db.primary().value('SELECT ? + SLEEP(0.02)', [n])),
    );
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
