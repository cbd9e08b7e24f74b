import { describe, expect, it, test } from 'vitest';
import { backoffCeilingMs, fullJitter } from '../../../src/resilience/backoff.ts';

describe('backoffCeilingMs', () => {
  test.each([
    [1, 20, 20],
    [2, 20, 40],
    [3, 20, 80],
    [7, 20, 1_000],
    [1_000, 20, 1_000],
    [1, 5_000, 5_000],
    [3, 5_000, 5_000],
  ])('after failure %i from %i ms is %i ms', (attempt, firstMs, expected) => {
    expect(backoffCeilingMs(attempt, firstMs)).toBe(expected);
  });
});

describe('fullJitter', () => {
  it('spreads over the whole range down to 0', () => {
    expect(fullJitter(80, () => 0)).toBe(0);
    expect(fullJitter(80, () => 0.5)).toBe(40);
    expect(fullJitter(80, () => 0.999)).toBeLessThan(80);
  });

  it('stays in the range with real random numbers', () => {
    for (let i = 0; i < 100; i += 1) {
      const waitMs = fullJitter(10);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThan(10);
    }
  });
});
