import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Failed } from '../../../src/resilience/failed.ts';
import type { Lab } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { eventually, rejection, sleep } from '../../support/cluster.ts';
import { openReads, readUnderLoad } from './read-cluster.ts';
import { RoundRobinRelay } from './relay.ts';

describe('a balanced address', () => {
  let lab: Lab;
  let relay: RoundRobinRelay;

  beforeAll(async () => {
    lab = await startLab({ redis: false });
  });
  afterEach(async () => {
    await relay[Symbol.asyncDispose]();
    await lab.heal();
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function openBalanced(pool = { min: 2, max: 6 }): Promise<ReturnType<typeof openReads>> {
    relay = await RoundRobinRelay.start([lab.server('r1'), lab.server('r2')]);
    const cluster = openReads(lab, { replicas: [{ host: '127.0.0.1', port: port(), balanced: true }], pool });
    await eventually('it serves', () => cluster.set.candidates.length === 1);
    return cluster;
  }

  function port(): number {
    return Number(relay.address.split(':')[1]);
  }

  it('is one candidate with connections to several servers, and none of them counts as a change', async () => {
    const cluster = await openBalanced();
    const down = cluster.record('replica:down');
    const collisions = cluster.record('identity:collision');
    const ids = await Promise.all(
      Array.from({ length: 60 }, () => cluster.value('SELECT @@server_id + SLEEP(0.01)')),
    );
    expect(new Set(ids)).toEqual(new Set([3, 4]));
    expect(cluster.set.candidates).toHaveLength(1);
    expect(down).toEqual([]);
    expect(collisions).toEqual([]);
  });

  it('serves no read that asks for its age, which nobody knows', async () => {
    const cluster = await openBalanced();
    expect(await cluster.value('SELECT @@server_id', { maxLagMs: 60_000 })).toBe(1);
    expect(cluster.router.consistency.tooOld).toBe(1);
    expect([3, 4]).toContain(await cluster.value('SELECT @@server_id'));
  });

  it('stays in service when one of its servers dies, and no read fails', async () => {
    const cluster = await openBalanced();
    const fallback = cluster.record('fallback:started');
    const script = async (): Promise<void> => {
      await sleep(200);
      relay.targets = [lab.server('r2')];
      await lab.fault({ kind: 'kill', server: 'r1' });
      await sleep(600);
    };
    const { failures } = await readUnderLoad(cluster, 8, script());
    expect(failures).toEqual([]);
    expect(fallback).toEqual([]);
    expect(await cluster.value('SELECT @@server_id')).toBe(4);
  });

  it('sends no KILL QUERY, which could reach another server: the connection is ended instead', async () => {
    const cluster = await openBalanced();
    for (const name of ['r1', 'r2'] as const) await lab.server(name).query('FLUSH STATUS');
    const errors = await Promise.all(
      Array.from({ length: 6 }, () => rejection(cluster.value('SELECT SLEEP(2)', { timeoutMs: 200 }))),
    );
    for (const error of errors) {
      expect(error).toBeInstanceOf(Failed);
      expect((error as Failed).failure).toMatchObject({ kind: 'timeout', outcome: 'unknown' });
    }
    for (const name of ['r1', 'r2'] as const) {
      const [row] = await lab.server(name).query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_kill'");
      expect(row?.Value).toBe('0');
    }
  });
});
