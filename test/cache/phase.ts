import { type CacheConfig, type CacheStatus, createCluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { type Disturbed, disturb } from '../consistency/disturber.ts';
import { seeded } from '../consistency/random.ts';
import { eventually } from '../support/eventually.ts';
import { disturbStore } from './disturb-store.ts';
import type { TroubledStore } from './troubled-store.ts';
import { withoutFences } from './without-fences.ts';
import { runWorkload, type WorkloadResult } from './workload.ts';

export interface Phase {
  /** `false`: a control, whose records ask for nothing. */
  readonly fences: boolean;
  /** The longest that the applier of a replica stands still. */
  readonly lagMs: number;
  /** Between two failovers; none when it is left out. */
  readonly failoverEveryMs?: number;
  /** A store to make trouble with, and the longest time between two troubles; the lab's Redis, in peace, when left out. */
  readonly store?: {
    readonly everyMs: number;
    readonly start: (lab: Lab) => Promise<TroubledStore>;
  };
}

export interface PhaseResult extends WorkloadResult {
  readonly seconds: number;
  readonly disturbed: Disturbed;
  /** How often each of them was made, and what else the store has to tell. */
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
  const troubled = await phase.store?.start(lab);
  try {
    return await runOn(troubled, lab, { phase, run });
  } finally {
    await troubled?.close();
    await lab.heal();
  }
}

async function runOn(
  troubled: TroubledStore | undefined,
  lab: Lab,
  {
    phase: { fences, store, ...disturbance },
    run: { seed, goesOn },
  }: { readonly phase: Phase; readonly run: Run },
): Promise<PhaseResult> {
  const random = seeded(seed);
  const over = new AbortController();
  const control = withoutFences(lab.redisUrl ?? '');
  const cache: CacheConfig = {
    ...(fences ? (troubled?.cache ?? { redis: lab.redisUrl ?? '' }) : { redis: control }),
    namespace: `checker-${seed}`,
    ttlMs: 3_000,
  };
  const allowed = ways.map(({ l1, ...way }) =>
    l1 === undefined || troubled?.allowsCopies === false ? way : { ...way, l1 },
  );
  const clusters = allowed.map((way) =>
    createCluster({ ...lab.config(), consistency: { waitMs: 100 }, cache: { ...cache, ...way } }),
  );
  // A primary that lacks what was acknowledged: what is older then is not the cache's doing.
  let behind = 0;
  for (const db of clusters) {
    db.on('primary:behind', () => {
      behind += 1;
    });
    await db.ready();
    await eventually('the cache is ready', () => db.status().cache?.state === 'ready');
  }
  const { signal } = over;
  const disturbing = disturb(lab, { ...disturbance, random, signal });
  const troubling =
    troubled === undefined || store === undefined
      ? {}
      : disturbStore(troubled, { random, everyMs: store.everyMs, signal });
  const startedAt = performance.now();
  const result = await runWorkload({ clusters, concurrency: 24, random, goesOn });
  const seconds = (performance.now() - startedAt) / 1_000;
  over.abort();
  const [disturbed, troubles] = await Promise.all([disturbing, troubling]);
  const status = clusters.map((db) => db.status().cache);
  await Promise.all(clusters.map((db) => db.close()));
  control.disconnect();
  return {
    ...result,
    seconds,
    disturbed,
    troubles: { ...troubles, behind, ...(await troubled?.facts()) },
    status,
  };
}
