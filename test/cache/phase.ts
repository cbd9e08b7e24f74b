import { type CacheConfig, type CacheStatus, type ClusterConfig, createCluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { type Disturbed, disturb } from '../consistency/disturber.ts';
import { seeded } from '../consistency/random.ts';
import { eventually } from '../support/eventually.ts';
import { disturbRedis } from './disturb-redis.ts';
import type { TroubledRedis } from './troubled-redis.ts';
import { withoutFences } from './without-fences.ts';
import { runWorkload, type WorkloadResult } from './workload.ts';

export interface Phase {
  /** `false`: a control, whose records ask for nothing. */
  readonly fences: boolean;
  /** The longest that the applier of a replica stands still. */
  readonly lagMs: number;
  /** Between two failovers; none when it is left out. */
  readonly failoverEveryMs?: number;
  /** A Redis to make trouble with, and the longest time between two troubles; the lab's, in peace, when left out. */
  readonly redis?: {
    readonly everyMs: number;
    readonly start: (lab: Lab) => Promise<TroubledRedis>;
  };
}

export interface PhaseResult extends WorkloadResult {
  readonly seconds: number;
  readonly disturbed: Disturbed;
  /** How often each of them was made, and what else Redis has to tell. */
  readonly troubles: Readonly<Record<string, number>>;
  /** Of each cluster, at the end. */
  readonly status: readonly (CacheStatus | undefined)[];
}

/** The processes of one namespace differ: none of it may make an answer old. */
const ways: readonly CacheConfig[] = [
  { staleMs: 5_000, earlyRefresh: 3, ttlMs: 500 },
  { l1: { copyMs: 100 } },
  { l1: { copyMs: 20 }, staleMs: 5_000, ttlMs: 500 },
];

interface Run {
  readonly seed: number;
  readonly goesOn: (soFar: WorkloadResult) => boolean;
}

/** Runs the workload on three clusters while the lab is disturbed, and leaves the lab healed. */
export async function runPhase(lab: Lab, phase: Phase, run: Run): Promise<PhaseResult> {
  const troubled = await phase.redis?.start(lab);
  try {
    return await runOn(troubled, lab, { phase, run });
  } finally {
    await troubled?.close();
    await lab.heal();
  }
}

async function runOn(
  troubled: TroubledRedis | undefined,
  lab: Lab,
  {
    phase: { fences, redis, ...disturbance },
    run: { seed, goesOn },
  }: { readonly phase: Phase; readonly run: Run },
): Promise<PhaseResult> {
  const random = seeded(seed);
  const over = new AbortController();
  const control = withoutFences(lab.redisUrl ?? '');
  const cache: ClusterConfig['cache'] = {
    redis: fences ? (troubled?.target ?? lab.redisUrl ?? '') : control,
    namespace: `checker-${seed}`,
    ttlMs: 3_000,
  };
  const allowsCopies = troubled?.allowsCopies ?? true;
  const clusters = ways.map(({ l1, ...way }) =>
    createCluster({
      ...lab.config(),
      consistency: { waitMs: 100 },
      cache: { ...cache, ...way, ...(l1 && allowsCopies && { l1 }) },
    }),
  );
  for (const db of clusters) {
    await db.ready();
    await eventually('the cache is ready', () => db.status().cache?.state === 'ready');
  }
  const { signal } = over;
  const disturbing = disturb(lab, { ...disturbance, random, signal });
  const troubling =
    troubled === undefined || redis === undefined
      ? {}
      : disturbRedis(troubled, { random, everyMs: redis.everyMs, signal });
  const startedAt = performance.now();
  const result = await runWorkload({ clusters, concurrency: 24, random, goesOn });
  const seconds = (performance.now() - startedAt) / 1_000;
  over.abort();
  const [disturbed, troubles] = await Promise.all([disturbing, troubling]);
  const status = clusters.map((db) => db.status().cache);
  await Promise.all(clusters.map((db) => db.close()));
  control.disconnect();
  return { ...result, seconds, disturbed, troubles: { ...troubles, ...(await troubled?.facts()) }, status };
}
