import { setTimeout as sleep } from 'node:timers/promises';
import type { TroubledRedis } from './troubled-redis.ts';

export interface RedisDisturbance {
  readonly random: () => number;
  /** The longest time between two of them. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Makes trouble at random, until the signal fires; counts what it has done. */
export async function disturbRedis(
  { troubles }: TroubledRedis,
  { random, everyMs, signal }: RedisDisturbance,
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
