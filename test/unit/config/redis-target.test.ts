import { inspect } from 'node:util';
import { Redis, Cluster as RedisCluster } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { isRedisCluster, redisClusterOf, redisTargetProblem } from '../../../src/config/redis-target.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { ConfigError } from '../../../src/errors/errors.ts';
import { rejection } from '../../support/cluster.ts';

const client = new Redis({ lazyConnect: true });
const cluster = new RedisCluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
afterAll(() => {
  client.disconnect();
  cluster.disconnect();
});

describe('cache.redis', () => {
  test.each<[string, unknown]>([
    ['a URL', 'redis://127.0.0.1:6379'],
    ['a URL with TLS', 'rediss://user:secret@cache.internal:6380/2'],
    ['options', { host: '127.0.0.1', port: 6379 }],
    ['options for Sentinels', { sentinels: [{ host: 's1', port: 26379 }], name: 'main' }],
    ['options for a socket', { path: '/run/redis.sock', db: 3 }],
    ['a client', client],
    ['options for a Redis Cluster', { nodes: ['10.0.0.1:7000', { host: '10.0.0.2', port: 7000 }] }],
    ['a client of Redis Cluster', cluster],
  ])('may be %s', (_, target) => {
    expect(redisTargetProblem(target)).toBeUndefined();
  });

  test.each<[string, unknown, RegExp]>([
    ['a host', '127.0.0.1', /must be a URL/],
    ['another URL', 'http://127.0.0.1', /must be a URL/],
    ['a list', [{ host: 'a' }], /must be a URL/],
    ['a number', 6379, /must be a URL/],
    ['something else', new Map(), /must be a URL/],
    ['a Redis Cluster without nodes', { nodes: [] }, /must have in `nodes` at least one/],
    ['a Redis Cluster with other nodes', { nodes: [7000] }, /must have in `nodes` at least one/],
    ['nothing', {}, /must say where Redis is/],
    ['another library’s options', { url: 'redis://127.0.0.1:6379' }, /must say where Redis is/],
    ['Sentinels without a name', { sentinels: [{ host: 's1' }] }, /must have in `name`/],
    ['a port that is none', { host: 'a', port: 'http' }, /must have in `port`/],
    ['a database by another name', { host: 'a', db: 'x' }, /must name the database by its number/],
    ['a URL with such a database', 'redis://127.0.0.1:6379/abc', /must name the database by its number/],
    ['what says that it is a Redis Cluster', { isCluster: true }, /must be a URL/],
  ])('must not be %s', (_, target, rule) => {
    expect(redisTargetProblem(target)).toMatch(rule);
  });
});

describe('a Redis Cluster', () => {
  test('is told from one Redis', () => {
    expect([client, { host: 'h' }, { sentinels: [], name: 'n' }].map(isRedisCluster)).toEqual([
      false,
      false,
      false,
    ]);
    expect([cluster, { nodes: ['h'] }].map(isRedisCluster)).toEqual([true, true]);
  });

  test('is known from a client of it, with what its nodes need', () => {
    const natMap = { '10.0.0.1:7000': { host: 'h', port: 1 } };
    const made = new RedisCluster([7000, '10.0.0.1:7000', { host: 'h' }], {
      lazyConnect: true,
      natMap,
      redisOptions: { password: 'p', keyPrefix: 'app:' },
    });
    expect(redisClusterOf(made)).toEqual({
      nodes: [{ port: 7000 }, '10.0.0.1:7000', { host: 'h' }],
      natMap,
      password: 'p',
      keyPrefix: 'app:',
    });
    made.disconnect();
  });
});

describe('the configuration of the cache', () => {
  const resolve = (cache: unknown) => resolveConfig({ primary: 'h', user: 'u', cache }).cache;

  test('has copies in this process only of what lies in Redis', () => {
    const redis = 'redis://h';
    expect(() => resolve({ l1: {} })).toThrow(/cache\.l1: needs `cache\.redis`/);
    expect(resolve({ redis, l1: {} })?.l1).toEqual({ copyMs: 50, maxBytes: 33_554_432 });
    expect(resolve({ redis })?.l1).toBeUndefined();
  });

  test('is complete, and leaves a client as it was', () => {
    const cache = resolve({ redis: client });
    expect(cache).toMatchObject({ namespace: 'main', ttlMs: 30_000, onInvalidationFailure: 'report' });
    expect(cache?.redis?.()).toBe(client);
    expect(Object.isFrozen(client)).toBe(false);
  });

  test('may be empty, or not there', () => {
    expect(resolve({})).toMatchObject({ redis: undefined, ttlMs: 30_000 });
    expect(resolve(undefined)).toBeUndefined();
  });

  test('shows no password, neither resolved nor in an error', async () => {
    const redis = 'redis://app:hunter2hunter2@cache:6379';
    expect(inspect(resolve({ redis }), { depth: 9 })).not.toContain('hunter2');
    const error = await rejection(Promise.resolve().then(() => resolve({ redis: `http${redis}` })));
    expect(error).toBeInstanceOf(ConfigError);
    expect(inspect(error)).not.toContain('hunter2');
  });

  test.each([
    ['namespace', 'a b'],
    ['ttlMs', 30],
    ['onInvalidationFailure', 'ignore'],
    ['ttl', 5],
  ])('refuses %s: %o', (name, value) => {
    expect(() => resolve({ [name]: value })).toThrow(new RegExp(`cache\\.${name}`));
  });
});
