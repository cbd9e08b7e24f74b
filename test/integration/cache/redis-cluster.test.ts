import { Cluster as RedisClusterClient } from 'ioredis';
import { Cluster as RedisClusterClient5 } from 'ioredis-5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore } from '../../../src/cache/store.ts';
import { connectRedisCluster } from '../../../src/cache/stores/connect-redis-cluster.ts';
import { redisClusterOf } from '../../../src/config/redis-target.ts';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents } from '../../support/cluster.ts';
import { RedisCluster } from '../../support/redis-cluster.ts';
import { hasRedis, type RedisServer } from '../../support/redis-servers.ts';
import { describeStore } from '../../support/store-contract.ts';
import { Products } from './products.ts';

describe.skipIf(!hasRedis)('a Redis Cluster', () => {
  let redis: RedisCluster;

  beforeAll(async () => {
    redis = await RedisCluster.start();
  });
  afterAll(() => redis?.stop());

  describeStore('Redis Cluster', async (): Promise<CacheStore> => {
    const store = connectRedisCluster(redis.target, { onUp() {}, onDown() {} });
    const names = Array.from({ length: 100 }, (_, index) => `any:${index}`);
    const isUp = async (): Promise<boolean> => {
      if (store.life === undefined) return false;
      return await store.get(`${store.life}.p`, names).then(
        () => true,
        () => false,
      );
    };
    await eventually('every master is connected', isUp);
    return store;
  });

  describe('under a cache', () => {
    let lab: Lab;
    let products: Products;

    beforeAll(async () => {
      lab = await startLab({ replicas: 1, redis: false });
      products = await Products.create(lab);
    });
    afterAll(() => lab?.stop());

    const open = (more: object = {}): Promise<Cluster> =>
      products.open({ cache: { redis: { ...redis.target, ...more } } });
    const recordOf = (id: number): string => `vipsql:main:e:${products.keyOf(id)}`;
    const raise = (db: Cluster, id: number, n: number) =>
      db.primary().execute('UPDATE products SET n = ? WHERE id = ?', [n, id], {
        invalidates: { keys: [products.keyOf(id)] },
      });
    /** Reads until a read is a hit, as it is once the master of every record is connected. */
    const warm = async (db: Cluster, id: number): Promise<void> => {
      const { hits = 0 } = db.status().cache ?? {};
      await eventually('it is in the cache', async () => {
        await products.read(db, id);
        return (db.status().cache?.hits ?? 0) > hits;
      });
    };
    const addOn = async (isWanted: (master: RedisServer) => boolean): Promise<number> => {
      for (;;) {
        const id = await products.add();
        if (isWanted(await redis.masterOf(recordOf(id)))) return id;
      }
    };

    test('keeps records on every master, and makes them worthless there', async () => {
      const [db, other] = [await open(), await open()];
      for (const master of await redis.masters()) {
        const id = await addOn((owner) => owner === master);
        await warm(db, id);
        await warm(other, id);
        await raise(other, id, 2);
        expect([await products.read(db, id), await products.read(other, id)]).toEqual([2, 2]);
        await warm(db, id);
        expect(await db.cache.invalidate({ tags: [products.tagOf(id)] })).toEqual({ delivered: true });
        const { hits } = db.status().cache ?? {};
        expect(await products.read(db, id)).toBe(2);
        expect(db.status().cache?.hits).toBe(hits);
      }
    });

    test.each([
      ['ioredis 6', RedisClusterClient],
      ['ioredis 5', RedisClusterClient5 as unknown as typeof RedisClusterClient],
    ])('is reached by a client of %s, with its prefix', async (_, Client) => {
      const nodes = redis.nodes.map(({ host, port }) => ({ host, port }));
      const client = new Client(nodes, { redisOptions: { keyPrefix: 'app:' } });
      try {
        const db = await products.open({ cache: { redis: client } });
        const id = await products.add();
        await warm(db, id);
        expect(await client.exists(recordOf(id))).toBe(1);
      } finally {
        client.disconnect();
      }
    });

    test('is reached through other addresses than those that it names', async () => {
      const asked: string[] = [];
      const { nodes, ...rest } = redisClusterOf(redis.target);
      const natMap = (address: string) => {
        asked.push(address);
        return { host: 'localhost', port: Number(address.split(':')[1]) };
      };
      const db = await open({ ...rest, nodes, natMap });
      const id = await products.add();
      await warm(db, id);
      expect(asked).toContain(`127.0.0.1:${(await redis.masterOf(recordOf(id))).port}`);
    });

    test('turns away records of a slot that is moved, and invalidates them where they are then', async () => {
      const [db, other] = [await open(), await open()];
      const id = await products.add();
      await warm(db, id);
      await warm(other, id);
      const failed = recordEvents(db, 'cache:invalidation-failed');
      const from = await redis.masterOf(recordOf(id));
      const to = (await redis.masters()).find((master) => master !== from) as RedisServer;
      await redis.moveSlotOf(recordOf(id), to, async () => {
        expect(await products.read(db, id)).toBe(1);
        await raise(db, id, 2);
        expect(await products.read(db, id)).toBe(2);
      });
      expect(failed).toHaveLength(1);
      await eventually('it is delivered', () => db.status().cache?.quarantined === 0);
      expect([await products.read(db, id), await products.read(other, id)]).toEqual([2, 2]);
      await warm(db, id);
      await warm(other, id);
      expect(await redis.masterOf(recordOf(id))).toBe(to);
    });

    test('goes on with the others while a master is frozen, and with the replica that takes its place', async () => {
      const [db, other] = [await open(), await open()];
      const old = (await redis.masters())[0] as RedisServer;
      const [hit, spared] = [await addOn((m) => m === old), await addOn((m) => m !== old)];
      for (const id of [hit, spared]) {
        await warm(db, id);
        await warm(other, id);
      }
      await old.process.freeze();
      try {
        await raise(other, hit, 2);
        expect(await products.read(other, hit)).toBe(2);
        await redis.awaitPromotion(old);
        await eventually('it is delivered', () => other.status().cache?.quarantined === 0);
        expect([await products.read(db, hit), await products.read(other, hit)]).toEqual([2, 2]);
      } finally {
        old.process.thaw();
      }
      expect([await products.read(db, hit), await products.read(other, hit)]).toEqual([2, 2]);
      await warm(db, hit);
      await warm(db, spared);
    });

    test('serves nothing of before once a master is dead and its replica promoted', async () => {
      const db = await open();
      const [old] = (await redis.masters()) as readonly [RedisServer];
      const id = await addOn((master) => master === old);
      await warm(db, id);
      const away = recordEvents(db, 'cache:away');
      const before = db.status().cache?.hits;
      await products.write(db, id, 2);
      await old.process.kill();
      try {
        await redis.awaitPromotion(old);
        await eventually('it is read from the database', async () => (await products.read(db, id)) === 2);
        expect(db.status().cache?.hits).toBe(before);
        await warm(db, id);
        expect(await products.read(db, id)).toBe(2);
        expect(away).toHaveLength(0);
      } finally {
        await old.start();
      }
    });
  });
});
