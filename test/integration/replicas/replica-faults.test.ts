import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NoReplicaError } from '../../../src/errors/errors.ts';
import type { Lab } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { eventually, rejection, sleep } from '../../support/cluster.ts';
import { openReads, percentile, type ReadCluster, readUnderLoad } from './read-cluster.ts';

const callers = 32;

describe('a fault of a replica under load', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ redis: false });
  });
  afterEach(async () => {
    await lab.heal();
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function bothServe(cluster: ReadCluster): Promise<void> {
    await eventually('both replicas serve', () => cluster.set.candidates.length === 2);
  }

  it.each(['kill', 'freeze'] as const)('%s: no read fails, and it returns by itself', async (kind) => {
    const cluster = openReads(lab);
    const down = cluster.record('replica:down');
    const fallback = cluster.record('fallback:started');
    await bothServe(cluster);

    let faultAt = 0;
    const script = async (): Promise<void> => {
      await sleep(300);
      faultAt = performance.now();
      await lab.fault({ kind, server: 'r1' });
      await sleep(1_500);
    };
    const { reads, failures } = await readUnderLoad(cluster, callers, script());
    const during = reads.filter(({ endedAt }) => endedAt > faultAt).map(({ tookMs }) => tookMs);

    expect(failures).toEqual([]);
    expect(down).toHaveLength(1);
    expect(fallback).toEqual([]);
    expect(cluster.set.candidates).toHaveLength(1);
    expect(during.length).toBeGreaterThan(100);
    expect(percentile(during, 0.99)).toBeLessThan(3_000);
    // Half the time-out of the monitor, and what a busy machine adds: less than all of the time-out.
    expect(Math.max(...during)).toBeLessThan(5_000);

    await lab.fault({ kind: kind === 'kill' ? 'start' : 'thaw', server: 'r1' });
    await bothServe(cluster);
  });

  it('moves reads off a frozen replica about as fast when it was idle before', async () => {
    const cluster = openReads(lab);
    await bothServe(cluster);
    await lab.fault({ kind: 'freeze', server: 'r1' });
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: callers }, () => cluster.value('SELECT 1')));
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('moves reads that were not sent without taking from the retry budget', async () => {
    const cluster = openReads(lab, { pool: { min: 0 }, retry: { budget: 0 } });
    await bothServe(cluster);
    const retried = cluster.record('operation:retry');
    // Without an open connection all reads of this replica wait for a login.
    await lab.fault({ kind: 'freeze', server: 'r1' });
    await Promise.all(Array.from({ length: callers }, () => cluster.value('SELECT 1')));
    expect(retried).toEqual([]);
  });

  it('reads on the primary while all replicas are away, and tells when that begins and ends', async () => {
    const cluster = openReads(lab);
    const started = cluster.record('fallback:started');
    const ended = cluster.record('fallback:ended');
    await bothServe(cluster);

    const script = async (): Promise<void> => {
      await sleep(200);
      await Promise.all([
        lab.fault({ kind: 'kill', server: 'r1' }),
        lab.fault({ kind: 'kill', server: 'r2' }),
      ]);
      await sleep(700);
      expect(await cluster.value('SELECT @@server_id')).toBe(1);
      await lab.fault({ kind: 'start', server: 'r1' });
      await sleep(1_500);
    };
    const { failures } = await readUnderLoad(cluster, callers, script());

    expect(failures).toEqual([]);
    expect(started).toHaveLength(1);
    expect(started[0]?.reason).toContain('ECONNREFUSED');
    expect(ended).toHaveLength(1);
    expect(await cluster.value('SELECT @@server_id')).toBe(3);
  });

  it('reads on the primary in READ ONLY sessions, at most fallbackMax at once', async () => {
    const cluster = openReads(lab, { fallbackMax: 3 });
    await bothServe(cluster);
    await Promise.all([lab.fault({ kind: 'kill', server: 'r1' }), lab.fault({ kind: 'kill', server: 'r2' })]);
    await eventually('no replica serves', () => cluster.set.candidates.length === 0);

    const readOnly = lab.vendor === 'mysql' ? 'transaction_read_only' : 'tx_read_only';
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, cluster.primary.inFlight);
    }, 1);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => cluster.value(`SELECT @@session.${readOnly} + SLEEP(0.02)`)),
    );
    clearInterval(watch);
    expect(answers).toEqual(Array.from({ length: 20 }, () => 1));
    expect(most).toBe(3);
  });

  it("fails at once with NoReplicaError when all are known to be down and fallback is 'error'", async () => {
    const cluster = openReads(lab, { fallback: 'error' });
    await bothServe(cluster);
    await Promise.all([lab.fault({ kind: 'kill', server: 'r1' }), lab.fault({ kind: 'kill', server: 'r2' })]);
    await eventually('no replica serves', () => cluster.set.candidates.length === 0);

    const startedAt = performance.now();
    const error = await rejection(cluster.value('SELECT 1'));
    expect(error).toBeInstanceOf(NoReplicaError);
    expect((error as Error).message).toContain(lab.server('r1').address);
    expect(performance.now() - startedAt).toBeLessThan(1_000);

    await lab.heal();
    await bothServe(cluster);
    expect(await cluster.value('SELECT 1')).toBe(1);
  });

  it('lets the process hear of a return although callers try again at once', async () => {
    const cluster = openReads(lab, { fallback: 'error' });
    await bothServe(cluster);
    await Promise.all([lab.fault({ kind: 'kill', server: 'r1' }), lab.fault({ kind: 'kill', server: 'r2' })]);
    await eventually('no replica serves', () => cluster.set.candidates.length === 0);
    const insist = async (): Promise<unknown> => {
      for (;;) {
        const value = await cluster.value('SELECT 1').catch(() => undefined);
        if (value !== undefined) return value;
      }
    };
    const insisting = insist();
    await lab.fault({ kind: 'start', server: 'r1' });
    expect(await insisting).toBe(1);
  });

  it('waits for the first connection during the start, and fails when there is none', async () => {
    await lab.fault({ kind: 'freeze', server: 'r1' });
    await lab.fault({ kind: 'freeze', server: 'r2' });
    const cluster = openReads(lab, { fallback: 'error' });
    const startedAt = performance.now();
    expect(await rejection(cluster.value('SELECT 1'))).toBeInstanceOf(NoReplicaError);
    const waitedMs = performance.now() - startedAt;
    expect(waitedMs).toBeGreaterThan(800);
    expect(waitedMs).toBeLessThan(5_000);
  });

  it('serves the reads that waited for the start as soon as a replica answers', async () => {
    await lab.fault({ kind: 'freeze', server: 'r1' });
    await lab.fault({ kind: 'freeze', server: 'r2' });
    const cluster = openReads(lab, { fallback: 'error' });
    const reads = Promise.all(Array.from({ length: 20 }, () => cluster.value('SELECT 1')));
    await sleep(300);
    await lab.fault({ kind: 'thaw', server: 'r2' });
    expect(await reads).toHaveLength(20);
  });

  it('gives a read that waits for a primary to the replica that returns first', async () => {
    const cluster = openReads(lab, { timeoutMs: 10_000 });
    await bothServe(cluster);
    await Promise.all([lab.fault({ kind: 'kill', server: 'r1' }), lab.fault({ kind: 'kill', server: 'r2' })]);
    await lab.fault({ kind: 'refuse' });
    await eventually(
      'nobody serves',
      () => cluster.set.candidates.length === 0 && !cluster.primary.available,
    );
    const read = cluster.value('SELECT @@server_id');
    await sleep(100);
    await lab.fault({ kind: 'start', server: 'r2' });
    expect(await read).toBe(4);
  });
});
