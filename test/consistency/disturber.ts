import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../src/testing/index.ts';

export interface Disturbance {
  readonly random: () => number;
  /** The longest that the applier of a replica stands still. */
  readonly lagMs: number;
  /** Between two failovers; none when it is left out. */
  readonly failoverEveryMs?: number;
  readonly signal: AbortSignal;
}

export interface Disturbed {
  readonly stops: number;
  readonly failovers: number;
}

/** Stops and starts the appliers of replicas at random, and lets the primary change, until the signal fires. */
export async function disturb(lab: Lab, disturbance: Disturbance): Promise<Disturbed> {
  const { random, signal, lagMs, failoverEveryMs = Number.POSITIVE_INFINITY } = disturbance;
  let [stops, failovers] = [0, 0];
  let failoverAt = performance.now() + failoverEveryMs;
  while (!signal.aborted) {
    const victims = lab.replicas.filter(() => random() < 0.5);
    for (const { name } of victims) await lab.fault({ kind: 'stop-applier', server: name });
    stops += victims.length;
    await sleep(random() * lagMs);
    for (const { name } of victims) await lab.fault({ kind: 'start-applier', server: name });
    await sleep(random() * lagMs);
    if (performance.now() < failoverAt) continue;
    failovers += 1;
    await failOver(lab, random() < 0.5);
    failoverAt = performance.now() + failoverEveryMs;
  }
  return { stops, failovers };
}

async function failOver(lab: Lab, kills: boolean): Promise<void> {
  const { name } = lab.owner();
  if (kills) {
    await lab.fault({ kind: 'kill', server: name });
    await lab.fault({ kind: 'failover', gapMs: 100 });
    await lab.fault({ kind: 'start', server: name });
  } else {
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
  }
}
