import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClosedError } from '../../../src/errors/errors.ts';
import type { Lab } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { eventually, rejection, sleep } from '../../support/cluster.ts';
import { openReads } from './read-cluster.ts';

/** What keeps a process alive or would: sockets, timers, look-ups. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return {
    sockets: counts.TCPSocketWrap ?? 0,
    connects: counts.TCPConnectWrap ?? 0,
    timers: counts.Timeout ?? 0,
  };
}

describe('closing the replicas', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ redis: false });
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function nothingIsLeft(before: Record<string, number>): Promise<void> {
    await eventually(
      'nothing is left',
      () => {
        const now = resources();
        return Object.entries(now).every(([name, count]) => count <= (before[name] ?? 0));
      },
      3_000,
    ).catch((error: unknown) => {
      throw new Error(`${JSON.stringify(before)} became ${JSON.stringify(resources())}`, { cause: error });
    });
  }

  it('leaves no socket and no timer while they serve', async () => {
    const before = resources();
    const cluster = openReads(lab);
    await Promise.all(Array.from({ length: 50 }, () => cluster.value('SELECT SLEEP(0.01)')));
    cluster.close();
    await nothingIsLeft(before);
  });

  it('leaves no socket and no timer during the start', async () => {
    const before = resources();
    const cluster = openReads(lab);
    cluster.close();
    await nothingIsLeft(before);
  });

  it('leaves no socket and no timer while one is down and one is frozen', async () => {
    const before = resources();
    const cluster = openReads(lab);
    await eventually('both serve', () => cluster.set.candidates.length === 2);
    await lab.fault({ kind: 'kill', server: 'r1' });
    await lab.fault({ kind: 'freeze', server: 'r2' });
    await eventually('none serves', () => cluster.set.candidates.length === 0);
    await sleep(200);
    cluster.close();
    await lab.heal();
    await nothingIsLeft(before);
  });

  it('ends the reads under way, and those that wait for the start, at once', async () => {
    const cluster = openReads(lab);
    await eventually('both serve', () => cluster.set.candidates.length === 2);
    const running = Array.from({ length: 30 }, () => rejection(cluster.value('SELECT SLEEP(5)')));
    await sleep(200);
    const startedAt = performance.now();
    cluster.close();
    for (const error of await Promise.all(running)) expect(error).toBeInstanceOf(ClosedError);
    expect(performance.now() - startedAt).toBeLessThan(3_000);

    const starting = openReads(lab, { fallback: 'error' });
    const waiting = rejection(starting.value('SELECT 1'));
    starting.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
  });
});
