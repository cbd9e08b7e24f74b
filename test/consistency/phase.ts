import { type ConsistencyStatus, createCluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { type Disturbed, disturb } from './disturber.ts';
import { seeded } from './random.ts';
import { runWorkload, type WorkloadResult } from './workload.ts';

export interface Phase {
  readonly sessions: boolean;
  /** The longest that the applier of a replica stands still. */
  readonly lagMs: number;
  /** Between two failovers; none when it is left out. */
  readonly failoverEveryMs?: number;
}

export interface PhaseResult extends WorkloadResult {
  readonly seconds: number;
  readonly disturbed: Disturbed;
  /** The share of the reads that replicas answered, 0 to 1. */
  readonly replicaShare: number;
  /** Of each cluster, at the end. */
  readonly status: readonly ConsistencyStatus[];
  /** What `position:lost` named. */
  readonly lost: readonly string[];
}

/** Runs the workload on two clusters while the lab is disturbed, and leaves the lab healed. */
export async function runPhase(
  lab: Lab,
  { sessions, ...disturbance }: Phase,
  { seed, goesOn }: { readonly seed: number; readonly goesOn: (soFar: WorkloadResult) => boolean },
): Promise<PhaseResult> {
  const random = seeded(seed);
  const over = new AbortController();
  const clusters = [createCluster(lab.config()), createCluster(lab.config())];
  const lost: string[] = [];
  for (const db of clusters) {
    await db.ready();
    db.on('position:lost', ({ missing }) => lost.push(missing));
  }
  const disturbing = disturb(lab, { ...disturbance, random, signal: over.signal });
  const startedAt = performance.now();
  const result = await runWorkload({ clusters, sessions, concurrency: 24, random, goesOn });
  const seconds = (performance.now() - startedAt) / 1_000;
  over.abort();
  const disturbed = await disturbing;
  const status = clusters.map((db) => db.status().consistency);
  await Promise.all(clusters.map((db) => db.close()));
  await lab.heal();
  const onPrimary = result.byServer.get(`${lab.vip.host}:${lab.vip.port}`) ?? 0;
  return { ...result, seconds, disturbed, status, lost, replicaShare: 1 - onPrimary / result.reads };
}
