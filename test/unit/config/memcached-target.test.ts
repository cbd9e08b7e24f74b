import { describe, expect, test } from 'vitest';
import { memcachedPlaceOf, memcachedTargetProblem } from '../../../src/config/memcached-target.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';

describe('cache.memcached', () => {
  test.each([
    ['127.0.0.1:11311', '127.0.0.1', 11_311],
    ['cache.internal', 'cache.internal', 11_211],
    ['[::1]:11212', '::1', 11_212],
    [{ host: '::1' }, '::1', 11_211],
    [{ host: 'cache', port: 1 }, 'cache', 1],
  ])('may be %j', (target, host, port) => {
    expect(memcachedTargetProblem(target)).toBeUndefined();
    expect(memcachedPlaceOf(target)).toEqual({ host, port });
  });

  test.each([
    '',
    ':11211',
    'a:0',
    'a:65536',
    'a:b',
    'a b',
    'a,b',
    '::1',
    '[a]:1',
    'memcached://a:1',
    '/run/memcached.sock',
    11_211,
    null,
    ['a:1'],
    {},
    { host: 1 },
    { host: 'a', port: '1' },
    { host: 'a', port: 1.5 },
    { host: 'a', tls: true },
  ])('must not be %j', (target) => {
    expect(memcachedTargetProblem(target)).toMatch(/must be 'host:port' of one memcached/);
  });

  const resolve = (cache: unknown) => resolveConfig({ primary: 'h', user: 'u', cache }).cache;

  test('is understood once', () => {
    expect(resolve({ memcached: 'a:1' })).toMatchObject({
      memcached: { host: 'a', port: 1 },
      redis: undefined,
    });
    expect(resolve({})?.memcached).toBeUndefined();
    expect(() => resolve({ memcached: 'a:b' })).toThrow(/cache\.memcached/);
  });

  test('stands instead of Redis, and without copies', () => {
    expect(() => resolve({ memcached: 'a:1', redis: 'redis://h' })).toThrow(
      /cache\.memcached: must not be given beside `cache\.redis`/,
    );
    expect(() => resolve({ memcached: 'a:1', l1: {} })).toThrow(/cache\.l1: needs `cache\.redis`/);
  });
});
