import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { eventually } from '../support/eventually.ts';
import { selectNumber } from './race.ts';

export interface FrozenOptions {
  /** Reads begun in a second, whatever becomes of the earlier ones. */
  readonly rate: number;
  /** For each of the measurements. */
  readonly seconds: number;
}

export interface Latencies {
  readonly reads: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface FrozenResult {
  /** The same reads without a cache. */
  readonly database: Latencies;
  /** From the cache, Redis being well. */
  readonly cached: Latencies;
  /** From the moment at which Redis freezes. */
  readonly frozen: Latencies;
  /** From the thaw until the cache answers again. */
  readonly recoveredMs: number;
  readonly again: Latencies;
}

const rows = 200;

/** The statements that make what {@link freezeUnderLoad} reads. */
export const createRows = [
  'CREATE TABLE lab.raced (id INT PRIMARY KEY, n INT NOT NULL)',
  `INSERT INTO lab.raced VALUES ${Array.from({ length: rows }, (_, id) => `(${id}, ${id})`).join(', ')}`,
];

/** How long cached reads take before, while and after Redis is frozen (SIGSTOP). */
export async function freezeUnderLoad(lab: Lab, options: FrozenOptions): Promise<FrozenResult> {
  await using db = createCluster({ ...lab.config(), cache: { redis: lab.redisUrl ?? '', ttlMs: 600_000 } });
  await db.ready();
  await eventually('the cache is ready', () => db.status().cache?.state === 'ready');
  const direct = (id: number): Promise<unknown> => db.replica().query(selectNumber, [id]);
  const cached = (id: number): Promise<unknown> => db.replica().cached().query(selectNumber, [id]);
  for (let id = 0; id < rows; id += 1) await Promise.all([direct(id), cached(id)]);
  const database = await measure(direct, options);
  const well = await measure(cached, options);
  await lab.fault({ kind: 'freeze', server: 'redis' });
  const frozen = await measure(cached, options);
  await lab.fault({ kind: 'thaw', server: 'redis' });
  const thawedAt = performance.now();
  await eventually('the cache is back', () => db.status().cache?.state === 'ready');
  const recoveredMs = performance.now() - thawedAt;
  return { database, cached: well, frozen, recoveredMs, again: await measure(cached, options) };
}

/** Begins reads at their times and takes their latencies from these. */
async function measure(
  read: (id: number) => Promise<unknown>,
  { rate, seconds }: FrozenOptions,
): Promise<Latencies> {
  const tookMs: number[] = [];
  let errors = 0;
  const startedAt = performance.now();
  const one = async (index: number): Promise<void> => {
    const dueAt = startedAt + (index * 1_000) / rate;
    try {
      await read(index % rows);
    } catch {
      errors += 1;
    }
    tookMs.push(performance.now() - dueAt);
  };
  const running: Promise<void>[] = [];
  while (running.length < rate * seconds) {
    const due = ((performance.now() - startedAt) * rate) / 1_000;
    while (running.length <= due && running.length < rate * seconds) running.push(one(running.length));
    await sleep(1);
  }
  await Promise.all(running);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { reads: sorted.length, errors, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
