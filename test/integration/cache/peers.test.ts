import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { createRaced, type RaceCache, race } from '../../cache/race.ts';
import { openPeer } from '../../cache/race-peers.ts';
import { openVipsql, targets } from '../../cache/race-vipsql.ts';
import { hasMemcached, MemcachedServer } from '../../support/memcached-server.ts';
import { RedisCluster } from '../../support/redis-cluster.ts';
import { hasRedis } from '../../support/redis-servers.ts';

/** `npm run check:cache-race` shows more of them. */
describe('a load that is overtaken by a write and its invalidation', () => {
  let lab: Lab;
  let raced = 0;

  beforeAll(async () => {
    lab = await startLab({ replicas: 1, redis: true });
    await createRaced(lab);
  });
  afterAll(() => lab?.stop());

  const run = async (cache: RaceCache) => {
    raced += 1;
    try {
      return await race(lab, cache, raced);
    } finally {
      await cache.close();
    }
  };

  describe.each(['memory', 'Redis'])('with the values in %s', (store) => {
    test.each(targets)('and %s, shows its value to nobody else', async (by) => {
      const cache = store === 'memory' ? {} : { redis: lab.redisUrl ?? '' };
      expect(await run(await openVipsql(lab, cache, by))).toEqual({ meanwhile: 2, later: 2 });
    });
  });

  describe.skipIf(!hasMemcached)('with the values in memcached', () => {
    test.each(targets)('and %s, shows its value to nobody else', async (by) => {
      const server = await MemcachedServer.start();
      try {
        const cache = await openVipsql(lab, { memcached: server.target }, by);
        expect(await run(cache)).toEqual({ meanwhile: 2, later: 2 });
      } finally {
        await server.stop();
      }
    });
  });

  test.skipIf(!hasRedis)('with the values in a Redis Cluster shows its value to nobody else', async () => {
    const cluster = await RedisCluster.start();
    try {
      const cache = await openVipsql(lab, { redis: cluster.target }, 'keys');
      expect(await run(cache)).toEqual({ meanwhile: 2, later: 2 });
    } finally {
      await cluster.stop();
    }
  });

  test('does so in another cache, which shows that it is looked at', async () => {
    expect(await run(openPeer(lab, 'cache-manager `del`'))).toEqual({ meanwhile: 1, later: 1 });
  });
});
