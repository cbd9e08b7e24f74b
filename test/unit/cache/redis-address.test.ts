import { describe, expect, test } from 'vitest';
import { hostOf, placeOf, portOf } from '../../../src/cache/stores/redis-address.ts';

describe('the place of a node of a Redis Cluster', () => {
  test.each([
    ['a host', 'redis-1.internal', { host: 'redis-1.internal', port: 6_379 }],
    ['host and port', '10.0.0.1:7000', { host: '10.0.0.1', port: 7_000 }],
    ['an IPv6 address and a port', '[::1]:7000', { host: '::1', port: 7_000 }],
    ['a URL', 'redis://10.0.0.1', { host: '10.0.0.1', port: 6_379 }],
    [
      'a URL with all there is',
      'rediss://app:p%40ss@cache.internal:7000',
      { host: 'cache.internal', port: 7_000, username: 'app', password: 'p@ss', tls: {} },
    ],
    ['an object', { host: '10.0.0.1', port: 7_000 }, { host: '10.0.0.1', port: 7_000 }],
    ['an empty object', {}, { host: '127.0.0.1', port: 6_379 }],
  ])('is understood as %s', (_, node, place) => {
    expect(placeOf(node)).toEqual(place);
  });
});

test('an address is split at its last colon', () => {
  expect([hostOf('::1:7000'), portOf('::1:7000')]).toEqual(['::1', 7_000]);
});
