import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Lab } from '../../src/testing/index.ts';

export interface RedisDisturbance {
  readonly random: () => number;
  /** The longest time between two of them. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

export type RedisTrouble = 'flush' | 'evict' | 'restart' | 'freeze' | 'clients';

/** Flushes, evicts, restarts, freezes and disconnects at random, until the signal fires; counts what it has done. */
export async function disturbRedis(
  lab: Lab,
  { random, everyMs, signal }: RedisDisturbance,
): Promise<Readonly<Record<RedisTrouble, number>>> {
  const counts = { flush: 0, evict: 0, restart: 0, freeze: 0, clients: 0 };
  const admin = new Redis(lab.redisUrl ?? '', { maxRetriesPerRequest: null });
  admin.on('error', () => {});
  const troubles: Readonly<Record<RedisTrouble, () => Promise<unknown>>> = {
    flush: () => admin.flushall(),
    evict: () => evict(admin, random),
    clients: () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    freeze: async () => {
      await lab.fault({ kind: 'freeze', server: 'redis' });
      await sleep(random() * 400);
      await lab.fault({ kind: 'thaw', server: 'redis' });
    },
    restart: async () => {
      await lab.fault({ kind: 'kill', server: 'redis' });
      await lab.fault({ kind: 'start', server: 'redis' });
    },
  };
  const names = Object.keys(troubles) as RedisTrouble[];
  try {
    while (!signal.aborted) {
      await sleep(random() * everyMs);
      const name = names[Math.floor(random() * names.length)] as RedisTrouble;
      await troubles[name]();
      counts[name] += 1;
    }
  } finally {
    admin.disconnect();
  }
  return counts;
}

/** Deletes records here and there, fences and tags among them, as a Redis does that is short of memory. */
async function evict(admin: Redis, random: () => number): Promise<void> {
  const victims = (await admin.keys('vipsql:*')).filter(() => random() < 0.4);
  if (victims.length > 0) await admin.del(...victims);
}
