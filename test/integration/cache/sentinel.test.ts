import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually } from '../../support/cluster.ts';
import { RedisSentinels } from '../../support/redis-sentinels.ts';
import { hasRedis } from '../../support/redis-servers.ts';
import { Products } from './products.ts';

describe.skipIf(!hasRedis)('a Redis that three Sentinels watch', () => {
  let lab: Lab;
  let products: Products;
  let sentinels: RedisSentinels;

  beforeAll(async () => {
    lab = await startLab({ replicas: 1, redis: false });
    products = await Products.create(lab);
    sentinels = await RedisSentinels.start();
  });
  afterAll(async () => {
    await sentinels?.stop();
    await lab?.stop();
  });

  const isReady = (db: Cluster): boolean => db.status().cache?.state === 'ready';
  const open = (): Promise<Cluster> => products.open({ cache: { redis: sentinels.target } });

  test('is followed to the one that is promoted, where nothing of before is served', async () => {
    const replica = new Redis((await sentinels.replica()).url);
    try {
      const db = await open();
      const id = await products.add();
      await products.read(db, id);
      await eventually('it is stored, on the replica too', async () => {
        const stored = await replica.getBuffer(`vipsql:main:e:${products.keyOf(id)}`);
        return (stored?.length ?? 0) > 100;
      });
      await products.write(db, id, 2);
      const promotion = sentinels.failOver('kill');
      await eventually('the end of the master is noticed', () => !isReady(db));
      expect(await products.read(db, id)).toBe(2);
      await promotion;
      await eventually('the replica is used', () => isReady(db), 20_000);
      expect(await products.read(db, id)).toBe(2);
      expect(db.status().cache?.hits).toBe(0);
      await eventually('it is stored', () => db.status().cache?.fills === 2);
      expect(await products.read(db, id)).toBe(2);
      expect(db.status().cache?.hits).toBe(1);
    } finally {
      replica.disconnect();
    }
  });

  test('is read from and invalidated while the Sentinels promote, and nothing old is seen', async () => {
    const db = await open();
    const id = await products.add();
    let isOver = false;
    let newest = 1;
    const reads = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const least = newest;
        expect(await products.read(db, id)).toBeGreaterThanOrEqual(least);
      }
    });
    const writes = (async () => {
      while (!isOver) {
        const next = newest + 1;
        await db.primary().execute('UPDATE products SET n = ? WHERE id = ?', [next, id], {
          invalidates: { keys: [products.keyOf(id)] },
        });
        newest = next;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      await sentinels.failOver('plan');
      await eventually('the replica is used', () => isReady(db), 20_000);
    } finally {
      isOver = true;
    }
    await Promise.all([...reads, writes]);
    expect(newest).toBeGreaterThan(2);
  });

  test('is left when the Sentinels name another one, though it goes on answering', async () => {
    const before = await open();
    const id = await products.add();
    await products.read(before, id);
    await eventually('it is stored', () => before.status().cache?.fills === 1);
    const old = await sentinels.promote('plan');
    try {
      const after = await open();
      const invalidates = { keys: [products.keyOf(id)] };
      for (let n = 2; n < 12; n += 1) {
        const [writer, reader] = n % 2 === 0 ? [after, before] : [before, after];
        const text = 'UPDATE products SET n = ? WHERE id = ?';
        await writer.primary().execute(text, [n, id], { invalidates });
        expect(await products.read(reader, id)).toBe(n);
        expect(await products.read(writer, id)).toBe(n);
      }
      expect(String(await old.ask('ROLE'))).toMatch(/^master/);
      await eventually('both use the new one', () => isReady(before) && isReady(after));
    } finally {
      await sentinels.rejoin(old);
    }
  });

  test('is used without a Sentinel that stands still, once that has been silent for a while', async () => {
    const db = await open();
    const id = await products.add();
    await products.read(db, id);
    const { process } = sentinels.oneSentinel;
    await process.freeze();
    try {
      await eventually('it is not believed blindly', () => !isReady(db));
      expect(await products.read(db, id)).toBe(1);
      await eventually('it is used without that one', () => isReady(db), 15_000);
    } finally {
      process.thaw();
    }
    await eventually('it is used with it', () => isReady(db));
    expect(await products.read(db, id)).toBe(1);
  });
});
