import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Lab } from '../../src/testing/index.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { RedisSentinels } from '../support/redis-sentinels.ts';
import type { RedisServer } from '../support/redis-servers.ts';
import { noFacts, type TroubledStore } from './troubled-store.ts';

function administrator(lab: Lab): Redis {
  const admin = new Redis(lab.redisUrl ?? '', { maxRetriesPerRequest: null });
  admin.on('error', () => {});
  return admin;
}

/** The lab's Redis, which is flushed, killed, frozen, cut off, and loses some of its records. */
export async function fragileRedis(lab: Lab): Promise<TroubledStore> {
  const admin = administrator(lab);
  return {
    cache: { redis: lab.redisUrl ?? '' },
    allowsCopies: true,
    troubles: {
      flush: () => admin.flushall(),
      evict: (random) => evict(admin, random),
      clients: () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
      freeze: async (random) => {
        await lab.fault({ kind: 'freeze', server: 'redis' });
        await sleep(random() * 400);
        await lab.fault({ kind: 'thaw', server: 'redis' });
      },
      restart: async () => {
        await lab.fault({ kind: 'kill', server: 'redis' });
        await lab.fault({ kind: 'start', server: 'redis' });
      },
    },
    facts: noFacts,
    close: async () => admin.disconnect(),
  };
}

/** Deletes records here and there, fences and tags among them. */
async function evict(admin: Redis, random: () => number): Promise<void> {
  const victims = (await admin.keys('vipsql:*')).filter(() => random() < 0.4);
  if (victims.length > 0) await admin.del(...victims);
}

/** The lab's Redis with a few kilobytes of memory, which others fill: it evicts of its own accord. */
export async function crampedRedis(lab: Lab): Promise<TroubledStore> {
  const admin = administrator(lab);
  await admin.flushall();
  await admin.config('RESETSTAT');
  const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
  await admin.config('SET', 'maxmemory-policy', 'allkeys-random');
  await admin.config('SET', 'maxmemory', String(used + 512 * 1_024));
  let written = 0;
  return {
    cache: { redis: lab.redisUrl ?? '' },
    allowsCopies: true,
    troubles: {
      fill: async () => {
        const values = Array.from({ length: 50 }, () => {
          written += 1;
          return admin.set(`others:${written}`, 'x'.repeat(1_000)).catch(() => {
            // No room: that is the point.
          });
        });
        await Promise.all(values);
      },
    },
    facts: async () => ({
      evicted: Number(/evicted_keys:(\d+)/.exec(await admin.info('stats'))?.[1]),
    }),
    close: async () => {
      await admin.config('SET', 'maxmemory', '0');
      await admin.flushall();
      admin.disconnect();
    },
  };
}

/** A Redis whose Sentinels promote its replica, by plan or since it was killed. */
export async function watchedRedis(): Promise<TroubledStore> {
  const sentinels = await RedisSentinels.start();
  return {
    cache: { redis: sentinels.target },
    allowsCopies: true,
    troubles: {
      plan: () => sentinels.failOver('plan'),
      kill: () => sentinels.failOver('kill'),
    },
    facts: noFacts,
    close: () => sentinels.stop(),
  };
}

/** A Redis Cluster whose masters are killed, frozen and flushed, and whose slots move. */
export async function clusteredRedis(): Promise<TroubledStore> {
  const cluster = await RedisCluster.start();
  const anyMaster = async (random: () => number): Promise<RedisServer> => {
    const masters = await cluster.masters();
    return masters[Math.floor(random() * masters.length)] as RedisServer;
  };
  return {
    cache: { redis: cluster.target },
    allowsCopies: false,
    troubles: {
      kill: async (random) => {
        const master = await anyMaster(random);
        await master.process.kill();
        await cluster.awaitPromotion(master);
        await master.start();
        await cluster.settle();
      },
      freeze: async (random) => {
        const master = await anyMaster(random);
        await master.process.freeze();
        await sleep(random() * 3_000);
        master.process.thaw();
        await cluster.settle();
      },
      flush: async (random) => {
        await (await anyMaster(random)).ask('FLUSHALL');
      },
      move: async (random) => {
        const [from, to] = [await anyMaster(random), await anyMaster(random)];
        const keys = (await from.ask('KEYS', 'vipsql:*')) as readonly string[];
        const key = keys[Math.floor(random() * keys.length)];
        if (key === undefined || from === to) return;
        await cluster.moveSlotOf(key, to, () => sleep(random() * 200));
      },
    },
    facts: noFacts,
    close: () => cluster.stop(),
  };
}
