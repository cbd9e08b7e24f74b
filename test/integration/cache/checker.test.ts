import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { runPhase } from '../../cache/phase.ts';
import { fragileMemcached } from '../../cache/troubled-memcached.ts';
import { clusteredRedis, crampedRedis, fragileRedis } from '../../cache/troubled-redis.ts';
import { createCounters } from '../../cache/workload.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { hasMemcached } from '../../support/memcached-server.ts';
import { hasRedis } from '../../support/redis-servers.ts';

/** `npm run check:cache` runs the same for as long as one likes. */
const seed = 4;

describe.each(labVendors)('random cached reads on %s, with appliers that stop', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 2, redis: true });
    await createCounters(lab);
  });
  afterAll(() => lab?.stop());

  test('are never older than the last invalidation, whatever becomes of Redis and the primary', async () => {
    const { violations, writes, sessionReads, disturbed, troubles, status } = await runPhase(
      lab,
      { fences: true, lagMs: 100, store: { start: fragileRedis, everyMs: 800 }, failoverEveryMs: 4_000 },
      { seed, goesOn: ({ reads }) => reads < 4_000 },
    );
    expect(violations).toEqual([]);
    expect(writes).toBeGreaterThan(50);
    expect(sessionReads).toBeGreaterThan(20);
    expect(disturbed.stops).toBeGreaterThan(0);
    expect(Object.values(troubles).some((count) => count > 0)).toBe(true);
    expect(status.every((cache) => (cache?.hits ?? 0) > 0)).toBe(true);
  });

  test('are not either while Redis has no room and evicts', async () => {
    const { violations, troubles } = await runPhase(
      lab,
      { fences: true, lagMs: 100, store: { start: crampedRedis, everyMs: 20 } },
      { seed, goesOn: ({ reads }) => reads < 3_000 },
    );
    expect(violations).toEqual([]);
    expect(troubles.evicted).toBeGreaterThan(0);
  });

  test.skipIf(!hasMemcached)('are not either, whatever becomes of memcached', async () => {
    const { violations, troubles, status } = await runPhase(
      lab,
      {
        fences: true,
        lagMs: 100,
        store: { start: fragileMemcached, everyMs: 600 },
        failoverEveryMs: 4_000,
      },
      { seed, goesOn: ({ reads }) => reads < 4_000 },
    );
    expect(violations).toEqual([]);
    expect(Object.values(troubles).some((count) => count > 0)).toBe(true);
    expect(status.every((cache) => (cache?.hits ?? 0) > 0)).toBe(true);
  });

  // Once is enough: the database has no part in it.
  const once = vendor === labVendors[0] ? test : undefined;
  once?.skipIf(!hasRedis)('are not either, whatever becomes of a Redis Cluster', async () => {
    const { violations, troubles, status } = await runPhase(
      lab,
      { fences: true, lagMs: 100, store: { start: clusteredRedis, everyMs: 500 } },
      { seed, goesOn: ({ reads }) => reads < 4_000 },
    );
    expect(violations).toEqual([]);
    expect(Object.values(troubles).some((count) => count > 0)).toBe(true);
    expect(status.every((cache) => (cache?.hits ?? 0) > 0)).toBe(true);
  });

  test('would be: the same without fences is', async () => {
    const { violations } = await runPhase(
      lab,
      { fences: false, lagMs: 200 },
      { seed, goesOn: (soFar) => soFar.violations.length === 0 && soFar.reads < 20_000 },
    );
    expect(violations).not.toEqual([]);
  });
});
