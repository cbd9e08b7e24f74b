import { describe, expect, it } from 'vitest';
import { effectiveWeight, followWeights } from '../../../src/routing/ramp-up.ts';
import { candidate, surroundings } from './candidates.ts';

describe('effective weight', () => {
  it.each([
    ['a server that never left', Number.NEGATIVE_INFINITY, 10_000, 4],
    ['at the moment of its return', 1_000_000, 10_000, 0.4],
    ['a quarter of the way', 997_500, 10_000, 1.3],
    ['half of the way', 995_000, 10_000, 2.2],
    ['at the end', 990_000, 10_000, 4],
    ['long after', 1, 10_000, 4],
    ['without a ramp-up', 1_000_000, 0, 4],
  ])('%s', (_, upSince, rampUpMs, expected) => {
    const weight = effectiveWeight(candidate('a', { weight: 4, upSince }), surroundings({ rampUpMs }));
    expect(weight).toBeCloseTo(expected, 10);
  });
});

describe('what follows the weights', () => {
  it('is computed once when nobody ramps up', () => {
    let computed = 0;
    let now = 1_000_000;
    const follow = followWeights([candidate('a')], surroundings({ now: () => now }), () => ++computed);
    now += 100_000;
    expect(follow()).toBe(1);
  });

  it('is computed again four times a second while a server ramps up, and once more at the end', () => {
    let now = 1_000_000;
    const servers = [candidate('a'), candidate('b', { upSince: now })];
    const computed: number[] = [];
    const follow = followWeights(servers, surroundings({ now: () => now, rampUpMs: 1_000 }), ([, b = 0]) => {
      computed.push(b);
    });
    for (; now < 1_003_000; now += 10) follow();
    expect(computed.map((weight) => weight.toFixed(3))).toEqual([
      '0.100',
      '0.325',
      '0.550',
      '0.775',
      '1.000',
    ]);
  });
});
