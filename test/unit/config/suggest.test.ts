import { describe, expect, it, test } from 'vitest';
import { keysBelow, nearest } from '../../../src/config/suggest.ts';

describe('nearest', () => {
  const names = ['timeoutMs', 'tcpTimeoutMs', 'replicas', 'replica', 'user', 'ssl'];
  test.each([
    ['timeout', 'timeoutMs'],
    ['timeout_ms', 'timeoutMs'],
    ['tcpTimeout', 'tcpTimeoutMs'],
    ['replcias', 'replicas'],
    ['Replica', 'replica'],
    ['usr', 'user'],
    ['ssk', 'ssl'],
    ['x', undefined],
    ['completely', undefined],
  ])('to %s is %s', (key, expected) => {
    expect(nearest(key, names)).toBe(expected);
  });
});

describe('keysBelow', () => {
  it('lists the options of a section', () => {
    expect(keysBelow('retry')).toEqual(['attempts', 'budget', 'backoffMs']);
    expect(keysBelow('failover')).toEqual(['twoWriters', 'heartbeatMs', 'maxWaiting', 'catchUpMs']);
  });

  it('lists the top level without what lies below it', () => {
    expect(keysBelow('')).toEqual(expect.arrayContaining(['primary', 'replicas', 'pool', 'timeoutMs']));
    expect(keysBelow('').filter((name) => /[.[]/.test(name))).toEqual([]);
  });

  it('knows that the pool of one role has no roles', () => {
    expect(keysBelow('pool')).toEqual(expect.arrayContaining(['primary', 'replica', 'max']));
    expect([...keysBelow('pool.primary')].sort()).toEqual([
      'idleMs',
      'max',
      'maxLifetimeMs',
      'maxWaiting',
      'min',
    ]);
  });
});
