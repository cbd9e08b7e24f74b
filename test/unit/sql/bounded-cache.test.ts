import { describe, expect, test } from 'vitest';
import { BoundedCache } from '../../../src/sql/bounded-cache.ts';

describe('BoundedCache', () => {
  test('keeps what is asked for and forgets what is not', () => {
    const cache = new BoundedCache<number>(10);
    cache.set('used', 1);
    cache.set('unused', 2);
    for (let i = 0; i < 100; i++) {
      cache.set(`other ${i}`, i);
      expect(cache.get('used')).toBe(1);
    }
    expect(cache.get('unused')).toBeUndefined();
  });

  test('holds at most twice its maximum', () => {
    const cache = new BoundedCache<number>(10);
    for (let i = 0; i < 1000; i++) {
      cache.set(`${i}`, i);
      expect(cache.size).toBeLessThanOrEqual(20);
    }
  });
});
