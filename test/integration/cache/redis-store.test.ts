import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore, CompleteOrder, OpenOrder } from '../../../src/cache/store.ts';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { connectRedis } from '../../../src/cache/stores/redis-client.ts';
import { RedisStore } from '../../../src/cache/stores/redis-store.ts';
import type { RedisClient, RedisOptions } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { seeded } from '../../consistency/random.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { describeStore } from '../../support/store-contract.ts';

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

type Step =
  | { readonly kind: 'open'; readonly order: OpenOrder }
  | { readonly kind: 'complete'; readonly order: CompleteOrder }
  | { readonly kind: 'release'; readonly name: string; readonly lease: string }
  | { readonly kind: 'mark'; readonly name: string; readonly id: string; readonly gen: string }
  | {
      readonly kind: 'fill';
      readonly name: string;
      readonly lease: string;
      readonly fence: string | undefined;
    };

interface EraStep {
  readonly era: string;
  readonly step: Step;
}

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const fences = ['', '', '?', '0-1-5', '0-1-9,1-1-2', '0-2-3', `${uuid}:3-4`, `${uuid}:9-9`];

function randomSteps(random: () => number, prefix: string): readonly EraStep[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: 25 }, (_, index) => {
    const name = `${prefix}:${pick(['a', 'b'])}`;
    const gen = `g${index}`;
    const id = pick(['x', 'y', 'tags.z']);
    const steps: readonly Step[] = [
      {
        kind: 'open',
        order: {
          name,
          gen,
          lease: random() < 0.8 ? { id, ms: 60_000, seenFill: pick(['', 'x', 'y']) } : undefined,
          keepMs: 60_000,
        },
      },
      {
        kind: 'complete',
        order: { name, id: pick(['', 'x', 'y']), gen, fence: pick([undefined, ...fences]), keepMs: 60_000 },
      },
      { kind: 'mark', name, id, gen },
      { kind: 'release', name, lease: id },
      { kind: 'fill', name, lease: id, fence: pick([undefined, ...fences]) },
    ];
    return { era: random() < 0.9 ? 'p' : 'q', step: pick(steps) };
  });
}

/** Everything that a caller sees on the way, but for times. */
async function carryOut(store: CacheStore, steps: readonly EraStep[]): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for (const { era: primary, step } of steps) {
    const era = `${store.life}.${primary}`;
    seen.push(await carryOutOne(store, era, step));
    const name = 'order' in step ? step.order.name : step.name;
    const [record] = await store.get(era, [name]);
    seen.push(
      record && {
        ...record,
        era: record.era.split('.')[1],
        filled: record.filled && { ...record.filled, freshUntil: 0 },
      },
    );
  }
  return seen;
}

async function carryOutOne(store: CacheStore, era: string, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'open': {
      const [told] = await store.open(era, [step.order]);
      return { ...told, heldMs: (told?.heldMs ?? 0) > 0 };
    }
    case 'complete':
      return await store.complete(era, [step.order]);
    case 'release':
      return await store.release(era, step);
    case 'mark':
      return await store.mark(era, [{ ...step, ms: 60_000, keepMs: 60_000 }]);
    case 'fill':
      return await store.fill(
        era,
        {
          ...step,
          proof: 'p',
          proven: '',
          payload: Buffer.from('v'),
          loadMs: 3,
          ttlMs: 60_000,
          keepMs: 60_000,
        },
        [],
      );
  }
}
