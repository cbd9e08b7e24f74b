import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/config/types.ts';
import { dial } from '../../../src/pool/dial.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, sleep } from '../../support/cluster.ts';
import { ConnectorFixture, failureOf, PoolFixture, valueOn } from './pool-fixture.ts';
import { appSessions, statusNumber } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

interface Attempt {
  readonly socket: Socket;
  readonly afterMs: number;
}

function vip(): Endpoint {
  const { host, port } = lab.vip;
  return { kind: 'tcp', host, port, name: `${host}:${port}` };
}

/** A dial, with its attempts and the connections that came too late. */
function watchedDial(
  endpoint: Endpoint,
  options: { tcpTimeoutMs?: number; deadline?: Deadline } = {},
): { done: Promise<Socket>; attempts: Attempt[]; spares: Socket[] } {
  const began = performance.now();
  const attempts: Attempt[] = [];
  const spares: Socket[] = [];
  const done = dial({
    endpoint,
    tcpTimeoutMs: 300,
    deadline: new Deadline(30_000),
    ...options,
    onSocket: (socket) => attempts.push({ socket, afterMs: performance.now() - began }),
    onSpare: (socket) => spares.push(socket),
  });
  return { done, attempts, spares };
}

describe('an address that answers nobody', () => {
  test('is dialled three times within the time limit, and given up in time', async () => {
    await lab.fault({ kind: 'black-hole' });
    const began = performance.now();
    const { done, attempts } = watchedDial(vip());
    await expect(done).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    // The last attempt begins after 200 ms and has 300 ms of its own.
    const tookMs = performance.now() - began;
    expect(tookMs).toBeGreaterThanOrEqual(450);
    expect(tookMs).toBeLessThan(3_000);
    expect(attempts).toHaveLength(3);
    expect(attempts.every(({ afterMs }) => afterMs < 300 + 500)).toBe(true);
    expect(attempts.every(({ socket }) => socket.destroyed)).toBe(true);
  });

  test('is reached by the next attempt as soon as it answers, long before a lost SYN is repeated', async () => {
    await lab.fault({ kind: 'black-hole' });
    const { done, attempts } = watchedDial(vip(), { tcpTimeoutMs: 900 });
    await sleep(100);
    await lab.fault({ kind: 'answer' });
    const answeredAt = performance.now();
    const socket = await done;
    expect(performance.now() - answeredAt).toBeLessThan(900);
    expect(attempts.length).toBeGreaterThanOrEqual(2);
    socket.destroy();
    for (const { socket: other } of attempts) other.destroy();
  });

  test('keeps nobody who stops waiting', async () => {
    await lab.fault({ kind: 'black-hole' });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const began = performance.now();
    const { done, attempts } = watchedDial(vip(), {
      deadline: new Deadline(30_000, abort.signal),
      tcpTimeoutMs: 3_000,
    });
    await expect(done).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(performance.now() - began).toBeLessThan(1_500);
    await sleep(400);
    expect(attempts.length).toBeLessThanOrEqual(2);
    expect(attempts.every(({ socket }) => socket.destroyed)).toBe(true);
  });
});

describe('an address that refuses', () => {
  test('ends the dial at once, with one attempt', async () => {
    await lab.fault({ kind: 'refuse' });
    const began = performance.now();
    const { done, attempts } = watchedDial(vip());
    await expect(done).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(performance.now() - began).toBeLessThan(1_000);
    await sleep(300);
    expect(attempts).toHaveLength(1);
  });
});

describe('attempts that connect after another one has won', () => {
  test('log in and say goodbye: the server sees no broken greeting', async () => {
    const server = lab.owner();
    const [abortedBefore, connectionsBefore] = [
      await statusNumber(server, 'Aborted_connects'),
      await statusNumber(server, 'Connections'),
    ];
    const fixture = new ConnectorFixture({ ...lab.config(), tcpTimeoutMs: 4_000, timeoutMs: 20_000 });
    await lab.fault({ kind: 'black-hole' });
    const connecting = fixture.connect(new Deadline(20_000));
    // The SYN of the first attempt is repeated after 1 s, which is when the second attempt has begun as well.
    await sleep(1_450);
    await lab.fault({ kind: 'answer' });
    const connection = await connecting;
    await eventually(
      'a second login',
      async () => (await statusNumber(server, 'Connections')) - connectionsBefore >= 2,
    );
    await eventually('its end', async () => (await appSessions(lab)).length === 1);
    expect(await valueOn(connection, 'SELECT 1')).toBe(1);
    connection.quit();
    await eventually('no session', async () => (await appSessions(lab)).length === 0);
    expect(await statusNumber(server, 'Aborted_connects')).toBe(abortedBefore);
    fixture.close();
  });
});

describe('logins that nobody waits for any more', () => {
  test('are finished and said goodbye to, when a pool is thrown away and a time limit passes', async () => {
    const server = lab.owner();
    const before = await statusNumber(server, 'Aborted_connects');
    await using proxy = await TcpProxy.start(server, { delayMs: 400 });
    const fixture = new PoolFixture({
      ...lab.config(),
      primary: proxy.address,
      pool: { max: 5, min: 0 },
      loginTimeoutMs: 150,
    });
    expect(await failureOf(fixture.acquire(5_000))).toMatchObject({
      kind: 'connect',
      outcome: 'not-executed',
    });
    const waiting = failureOf(fixture.acquire(5_000));
    await eventually('the second dial', () => proxy.all.length === 2);
    fixture.pool.discard({
      kind: 'lost',
      outcome: 'unknown',
      message: 'moved away',
      cause: undefined,
      connection: 'destroy',
    });
    await waiting;
    await eventually('the end of both', () => proxy.open.length === 0);
    expect(proxy.all.every(({ loggedIn }) => loggedIn)).toBe(true);
    expect(await statusNumber(server, 'Aborted_connects')).toBe(before);
  });
});

describe('addresses of other kinds', () => {
  test('a Unix socket serves as primary', async () => {
    const server = lab.owner();
    const path = join(dirname(server.logFile), 's.sock');
    expect(existsSync(path)).toBe(true);
    const db = openCluster(lab, { primary: path });
    await db.ready();
    expect(await db.primary().value('SELECT @@server_id')).toBe(
      (await server.query<{ id: number }>('SELECT @@server_id AS id'))[0]?.id,
    );
    expect(db.status().primary.address).toBe(path);
  });

  test('a Unix socket that nobody listens on is refused at once', async () => {
    const path = join(dirname(lab.owner().logFile), 'nobody.sock');
    const { done, attempts } = watchedDial({ kind: 'socket', path, name: path });
    await expect(done).rejects.toMatchObject({ code: 'ENOENT' });
    expect(attempts).toHaveLength(1);
  });

  const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  );

  test.runIf(hasIPv6)('an IPv6 address serves as primary', async () => {
    await using proxy = await TcpProxy.start(lab.vip, { host: '::1' });
    const db = openCluster(lab, { primary: proxy.address });
    expect(await db.primary().value('SELECT 1')).toBe(1);
    expect(db.status().primary.address).toBe(`[::1]:${proxy.port}`);
  });

  test('a host name serves as primary', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: `localhost:${proxy.port}` });
    expect(await db.primary().value('SELECT 1')).toBe(1);
  });
});

describe('a process that stands still while it dials', () => {
  test('takes the connection that stands by then, and dials no other', async () => {
    const { done, attempts, spares } = watchedDial(vip());
    const until = performance.now() + 800;
    while (performance.now() < until);
    const socket = await done;
    expect(attempts).toHaveLength(1);
    expect(spares).toEqual([]);
    socket.destroy();
  });
});
