import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PrimaryUnavailableError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection, sleep } from '../../support/cluster.ts';
import { measureEffort } from './effort.ts';
import { failureOf, PoolFixture, stateOf } from './pool-fixture.ts';
import { killAppSessions } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: false });
});

afterAll(() => lab.stop());

/** A port at which somebody listened until just now. */
async function closedPort(): Promise<string> {
  const proxy = await TcpProxy.start(lab.vip);
  const { address } = proxy;
  await proxy.stop();
  return address;
}

/** generic-pool as it comes, with a `create` that rejects at once: writes a `t` per turn of a timer, a `c` per 1 000 creates. */
const starving = `
const { writeSync } = require('node:fs');
const { createPool } = require(process.argv[1]);
setInterval(() => writeSync(1, 't'), 10);
let creates = 0;
const create = () => {
  creates += 1;
  if (creates % 1_000 === 0) writeSync(1, 'c');
  return Promise.reject(new Error('refused'));
};
setTimeout(() => {
  const pool = createPool({ create, destroy: async () => {} }, { max: 10, acquireTimeoutMillis: 50 });
  pool.acquire().catch(() => writeSync(1, 'e'));
}, 100);
`;

describe('generic-pool by itself', () => {
  test('starves the event loop when create rejects at once, which is why ours never rejects', async () => {
    const genericPool = createRequire(import.meta.url).resolve('generic-pool');
    // Nothing but a signal from outside ends it.
    const child = spawn(process.execPath, ['-e', starving, genericPool]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    try {
      await eventually('20 000 creates', () => output.split('c').length > 20);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    expect(output).toMatch(/^t+c+$/);
  });
});

describe('a server that refuses connections', () => {
  test('refuses each waiter once, and leaves the event loop and the CPU in peace', async () => {
    const fixture = new PoolFixture({
      ...lab.config(),
      primary: await closedPort(),
      pool: { max: 10, min: 2 },
    });
    fixture.pool.start();
    const failures: unknown[] = [];
    const effort = await measureEffort(async () => {
      failures.push(...(await Promise.all(Array.from({ length: 100 }, () => failureOf(fixture.acquire())))));
      await sleep(1_000);
    });
    expect(failures).toHaveLength(100);
    for (const failure of failures)
      expect(failure).toMatchObject({ kind: 'connect', reason: 'ECONNREFUSED' });
    expect(effort.dials).toBeLessThanOrEqual(120);
    expect(effort.tickShare).toBeGreaterThan(0.5);
    expect(effort.cpuShare).toBeLessThan(0.5);
    expect(stateOf(fixture.pool)).toMatchObject({ inUse: 0, waiting: 0, open: 0 });
  });

  test('is asked at the pace of the watch, however many operations wait', async () => {
    const db = openCluster(lab, { primary: await closedPort(), timeoutMs: 2_000 });
    const effort = await measureEffort(async () => {
      const errors = await Promise.all(
        Array.from({ length: 200 }, () => rejection(db.primary().query('SELECT 1'))),
      );
      for (const error of errors) expect(error).toBeInstanceOf(PrimaryUnavailableError);
    });
    // One every 125 ms.
    expect(effort.dials).toBeLessThanOrEqual(20);
    expect(effort.tickShare).toBeGreaterThan(0.5);
    expect(effort.cpuShare).toBeLessThan(0.3);
  });

  test('is not stormed by the pool while only the watch is still connected', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 10, min: 0 } });
    await db.ready();
    const [watch] = proxy.open;
    await Promise.all(Array.from({ length: 10 }, () => db.primary().query('SELECT SLEEP(0.02)')));
    proxy.refuse();
    for (const connection of proxy.open) if (connection !== watch) connection.client.destroy();
    await eventually('the ends', () => db.status().primary.open === 0);
    expect(db.status().primary.state).toBe('open');
    const effort = await measureEffort(async () => {
      const errors = await Promise.all(
        Array.from({ length: 200 }, () =>
          rejection(db.primary().query('SELECT 1', [], { timeoutMs: 2_000 })),
        ),
      );
      for (const error of errors) expect(error).toMatchObject({ outcome: 'not-executed' });
    });
    expect(effort.tookMs).toBeLessThan(3_500);
    expect(effort.tickShare).toBeGreaterThan(0.5);
    expect(effort.cpuShare).toBeLessThan(0.6);
    expect(effort.dials / effort.tookMs).toBeLessThan(0.1);
    await killAppSessions(lab);
  });
});
