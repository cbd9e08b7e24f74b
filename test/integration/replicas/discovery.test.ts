import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { eventually, sleep } from '../../support/cluster.ts';
import { openReads, type ReadCluster, readUnderLoad } from './read-cluster.ts';

describe('replicas behind a DNS name', () => {
  let lab: Lab;
  let addresses: readonly string[] | Error;

  beforeAll(async () => {
    lab = await startLab({ redis: false });
  });
  afterEach(async () => {
    await lab.heal();
  });
  afterAll(async () => {
    await lab.stop();
  });

  function open(given: readonly string[] | Error): ReadCluster {
    addresses = given;
    return openReads(lab, { replicas: [{ dns: 'replicas.test', refreshMs: 100 }] }, async () => {
      if (addresses instanceof Error) throw addresses;
      return addresses;
    });
  }

  function hosts(...names: readonly ('r1' | 'r2')[]): readonly string[] {
    return names.map((name) => lab.server(name).host);
  }

  function candidateNames(cluster: ReadCluster): readonly string[] {
    return cluster.set.candidates.map(({ name }) => name).sort();
  }

  it('each serve reads', async () => {
    const cluster = open(hosts('r1', 'r2'));
    await eventually('both serve', () => cluster.set.candidates.length === 2);
    const ids = await Promise.all(Array.from({ length: 100 }, () => cluster.value('SELECT @@server_id')));
    expect(new Set(ids)).toEqual(new Set([3, 4]));
  });

  it('come and go with the name while no read fails', async () => {
    const cluster = open(hosts('r1'));
    const added = cluster.record('replica:added');
    const removed = cluster.record('replica:removed');
    const down = cluster.record('replica:down');
    const [r1, r2] = [lab.server('r1').address, lab.server('r2').address];
    const script = async (): Promise<void> => {
      await eventually('r1 serves', () => candidateNames(cluster).join() === r1);
      addresses = hosts('r1', 'r2');
      await eventually('both serve', () => cluster.set.candidates.length === 2);
      await sleep(100);
      addresses = hosts('r2');
      await eventually('r2 serves alone', () => candidateNames(cluster).join() === r2);
      await sleep(100);
    };
    const { failures } = await readUnderLoad(cluster, 16, script());
    expect(failures).toEqual([]);
    expect(added).toEqual([{ replica: r1 }, { replica: r2 }]);
    expect(removed).toEqual([{ replica: r1 }]);
    expect(down).toEqual([]);
  });

  it('finish the reads under way when they are removed, and are closed then', async () => {
    const cluster = open(hosts('r1'));
    await eventually('r1 serves', () => cluster.set.candidates.length === 1);
    const r1 = cluster.set.candidates[0];
    const read = cluster.value('SELECT SLEEP(0.6) + @@server_id');
    await sleep(50);
    addresses = hosts('r2');
    await eventually('r2 serves alone', () => candidateNames(cluster).join() === lab.server('r2').address);
    expect(r1?.closed).toBe(false);
    expect(await read).toBe(3);
    expect(r1?.closed).toBe(true);
    expect(r1?.status().open).toBe(0);
  });

  it('stay while the name cannot be resolved, and that is told', async () => {
    const cluster = open(hosts('r1', 'r2'));
    await eventually('both serve', () => cluster.set.candidates.length === 2);
    const failed = cluster.record('discovery:failed');
    const removed = cluster.record('replica:removed');
    addresses = new Error('queryA ESERVFAIL replicas.test');
    await eventually('the failure is told', () => failed.length > 0);
    expect(failed[0]).toEqual({ dns: 'replicas.test', message: 'queryA ESERVFAIL replicas.test' });
    expect(removed).toEqual([]);
    expect(cluster.set.candidates).toHaveLength(2);
  });

  it('are waited for by reads until the name was resolved for the first time', async () => {
    let answer = (): void => {};
    const resolved = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const cluster = openReads(lab, { replicas: [{ dns: 'replicas.test' }], fallback: 'error' }, async () => {
      await resolved;
      return hosts('r2');
    });
    const read = cluster.value('SELECT @@server_id');
    await sleep(100);
    answer();
    expect(await read).toBe(4);
  });

  it('are replaced by the primary when the name never resolved', async () => {
    const cluster = open(new Error('getaddrinfo ENOTFOUND replicas.test'));
    expect(await cluster.value('SELECT @@server_id')).toBe(1);
  });
});
