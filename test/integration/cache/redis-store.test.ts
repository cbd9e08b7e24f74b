import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { connectRedis } from '../../../src/cache/stores/redis-client.ts';
import { RedisStore } from '../../../src/cache/stores/redis-store.ts';
import type { RedisClient, RedisOptions } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { seeded } from '../../consistency/random.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { describeStore } from '../../support/store-contract.ts';
import { carryOut, randomSteps } from '../../support/store-steps.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 0, redis: true });
});
afterAll(() => lab?.stop());

const noListener = { onUp() {}, onDown() {} };

async function openStore(
  target: string | RedisOptions | RedisClient = lab.redisUrl ?? '',
): Promise<RedisStore> {
  const store = new RedisStore(connectRedis(target), noListener);
  await eventually('Redis is connected', () => store.life !== undefined);
  return store;
}

describeStore('Redis', () => openStore());
describeStore('Redis by ioredis 5', () => openStore(new Redis5(lab.redisUrl ?? '', { lazyConnect: true })));

describe('Redis', () => {
  test('does with records what memory does, whatever comes in whatever order', async () => {
    const redis = await openStore();
    const memory = new MemoryStore();
    try {
      for (let run = 0; run < 150; run += 1) {
        const steps = randomSteps(seeded(run), `same:${randomUUID()}`);
        expect(await carryOut(redis, steps), `run ${run}`).toEqual(await carryOut(memory, steps));
      }
    } finally {
      redis.close();
    }
  });

  test('is dialled again when it accepts a connection and then says nothing', async () => {
    let dialled = 0;
    const silent = createServer((socket) => {
      dialled += 1;
      socket.on('error', () => {}).resume();
    });
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as { port: number };
    const store = new RedisStore(connectRedis({ host: '127.0.0.1', port }), noListener);
    try {
      await eventually('another connection', () => dialled > 1);
      expect(store.life).toBeUndefined();
    } finally {
      store.close();
      silent.close();
    }
  });

  test('begins another life when it is started again, and turns away who has the former in mind', async () => {
    const downs: string[] = [];
    const store = new RedisStore(connectRedis(lab.redisUrl ?? ''), {
      onUp() {},
      onDown: (reason) => void downs.push(reason),
    });
    try {
      await eventually('Redis is connected', () => store.life !== undefined);
      const before = store.life;
      await lab.fault({ kind: 'kill', server: 'redis' });
      await eventually('its end is noticed', () => store.life === undefined);
      expect(downs.length).toBeGreaterThan(0);
      expect(String(await rejection(store.get(`${before}.p`, ['a'])))).toContain('not connected');
      await lab.fault({ kind: 'start', server: 'redis' });
      await eventually('Redis is connected again', () => store.life !== undefined);
      expect(store.life).not.toBe(before);
      expect(String(await rejection(store.get(`${before}.p`, ['a'])))).toContain('another server');
    } finally {
      store.close();
    }
  });

  test.each([
    ['ioredis 6', Redis],
    ['ioredis 5', Redis5 as unknown as typeof Redis],
  ])('is reached through a client of %s, which stays as it was', async (_, Client) => {
    const client = new Client(lab.redisUrl ?? '', { keyPrefix: 'app:', commandTimeout: 30_000 });
    const options = JSON.stringify(client.options);
    const store = await openStore(client);
    try {
      await store.open(`${store.life}.p`, [{ name: 'mine', gen: 'g', lease: undefined, keepMs: 60_000 }]);
      expect((await store.get(`${store.life}.p`, ['mine']))[0]?.gen).toBe('g');
      expect(await client.exists('mine')).toBe(1);
      expect(JSON.stringify(client.options)).toBe(options);
      expect(client).not.toHaveProperty('vipsqlOpen');
    } finally {
      store.close();
      await client.quit();
    }
  });

  test('begins another life when it was a replica in between, though it never ended', async () => {
    const store = await openStore();
    const admin = new Redis(lab.redisUrl ?? '');
    try {
      const before = store.life;
      await admin.replicaof('127.0.0.1', '1');
      await admin.replicaof('NO', 'ONE');
      store.reconnect();
      await eventually('it is asked again', () => store.life !== undefined && store.life !== before);
    } finally {
      store.close();
      admin.disconnect();
    }
  });

  test('is reached by options of ioredis', async () => {
    const { hostname, port } = new URL(lab.redisUrl ?? '');
    const store = await openStore({ host: hostname, port: Number(port), db: 3 });
    await store.ping();
    store.close();
  });

  test('invalidates by deleting where there is no room for the record', async () => {
    const admin = new Redis(lab.redisUrl ?? '');
    const store = await openStore();
    const era = `${store.life}.p`;
    const name = `full:${randomUUID()}`;
    try {
      await store.open(era, [
        { name, gen: 'g', lease: { id: 'l', ms: 9_000, seenFill: '' }, keepMs: 60_000 },
      ]);
      await admin.config('SET', 'maxmemory', '1');
      const order = { name, id: '', gen: 'h', fence: '0-1-2', keepMs: 60_000 };
      await store.complete(era, [order]);
      expect(await admin.exists(name)).toBe(0);
      expect(String(await rejection(store.mark(era, [{ ...order, id: 'm', ms: 1_000 }])))).toContain('OOM');
    } finally {
      await admin.config('SET', 'maxmemory', '0');
      store.close();
      await admin.quit();
    }
  });
});
