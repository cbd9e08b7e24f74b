import { setTimeout as sleep } from 'node:timers/promises';
import type { TroubledStore } from './troubled-store.ts';

export interface StoreDisturbance {
  readonly random: () => number;
  /** The longest time between two of them. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Makes trouble at random, until the signal fires; counts what it has done. */
export async function disturbStore(
  { troubles }: TroubledStore,
  { random, everyMs, signal }: StoreDisturbance,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const names = Object.keys(troubles);
  while (!signal.aborted) {
    await sleep(random() * everyMs);
    const name = names[Math.floor(random() * names.length)] as string;
    await troubles[name]?.(random);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
