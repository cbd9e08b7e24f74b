import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, createCluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, sleep } from '../../support/cluster.ts';
import { type ProxyManner, TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
  await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
  await lab.heal();
});

afterAll(() => lab.stop());

/** A cluster that the test itself closes: these tests take long and run side by side. */
function open(primary: string): Cluster {
  return createCluster({ ...lab.config(), primary, pool: { max: 5, min: 2 } });
}

const outageMs = 10_000;

describe.concurrent('an outage of 10 s', () => {
  test.each<[string, ProxyManner, number]>([
    // The watch every 125 ms for 5 s and then every 250 ms, and the pool twice a second for its warm minimum.
    ['closes each connection at once', { closeAfterMs: 0 }, 82],
    // The watch every 250 ms and as often out of turn, and the pool.
    ['closes each connection after 200 ms', { closeAfterMs: 200 }, 102],
    ['greets nobody', 'hold', 20],
  ])('at an address that %s is looked into at a pace', async (_, manner, most) => {
    await using proxy = await TcpProxy.start(lab.vip);
    await using db = open(proxy.address);
    await db.ready();
    await eventually('the pool', () => db.status().primary.open === 2);
    const before = proxy.all.length;
    proxy.manner = manner;
    proxy.cut();
    await eventually('the interruption', () => db.status().primary.state === 'interrupted');
    const waiting = db.primary().execute('INSERT INTO t VALUES (?)', [most], { timeoutMs: 30_000 });
    await sleep(outageMs);
    const dialled = proxy.all.length - before;
    expect(dialled).toBeLessThanOrEqual(most);
    expect(dialled).toBeGreaterThan(most / 3);

    if (manner === 'hold') proxy.release();
    proxy.manner = 'forward';
    const endedAt = performance.now();
    expect((await waiting).affectedRows).toBe(1);
    expect(performance.now() - endedAt).toBeLessThan(5_000);
  });

  test('in which the VIP answers read-only costs a handful of logins', async () => {
    const standby = lab.master(lab.owner().name === 'a' ? 'b' : 'a');
    await using proxy = await TcpProxy.start(lab.owner());
    await using db = open(proxy.address);
    await db.ready();
    await eventually('the pool', () => db.status().primary.open === 2);
    const before = proxy.all.length;
    proxy.target = standby;
    proxy.cut();
    await eventually('the search', () => db.status().primary.state === 'searching');
    const waiting = db.primary().execute('INSERT INTO t VALUES (1)', [], { timeoutMs: 30_000 });
    await sleep(outageMs);
    expect(db.status().primary.state).toBe('searching');
    expect(proxy.all.length - before).toBeLessThanOrEqual(4);
    proxy.target = lab.owner();
    proxy.cut();
    expect((await waiting).epoch).toBe(2);
  });
});

describe.concurrent('many probes that wait for a greeting and are reset at once', () => {
  test('are followed by one, which finds the new primary at once', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    await using db = open(proxy.address);
    await db.ready();
    proxy.manner = 'hold';
    proxy.cut();
    await eventually('a dozen probes', () => proxy.open.length >= 12);
    const before = proxy.all.length;
    proxy.manner = 'forward';
    proxy.cut();
    const resetAt = performance.now();
    await db.ready();
    expect(performance.now() - resetAt).toBeLessThan(900);
    expect(proxy.all.length - before).toBeLessThanOrEqual(3);
  });
});

describe.concurrent('the connection of the watch', () => {
  test('is replaced after 30 s, and nobody notices', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    await using db = createCluster({ ...lab.config(), primary: proxy.address, pool: { min: 0 } });
    const interrupted = recordEvents(db, 'primary:interrupted');
    await db.ready();
    const [first] = proxy.all;
    await sleep(29_000);
    expect(proxy.all).toHaveLength(1);
    await eventually('the next one', () => proxy.all.length === 2);
    await eventually('the end of the first', () => first?.open === false);
    expect(interrupted).toEqual([]);
    expect(db.status().primary).toMatchObject({ state: 'open', epoch: 1 });
  });
});
