import { describe, expect, it } from 'vitest';
import { weightedDraw } from '../../../src/routing/weighted-draw.ts';

describe('weighted draw', () => {
  it.each([[[1]], [[1, 1]], [[1, 2, 3]], [[100, 1, 1, 1]], [[0.1, 1]], [[7, 11, 13, 17, 19, 23]]])(
    'draws from %j in proportion, over an even grid of random numbers',
    (weights) => {
      const draw = weightedDraw(weights);
      const points = 100_000;
      const counts = weights.map(() => 0);
      for (let i = 0; i < points; i += 1) {
        const index = draw(() => i / points);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, index) => {
        expect((counts[index] ?? 0) / points).toBeCloseTo(weight / total, 3);
      });
    },
  );

  it('stays within the list for the largest random number', () => {
    expect(weightedDraw([1, 2, 3])(() => 1 - Number.EPSILON / 2)).toBeLessThan(3);
  });
});
