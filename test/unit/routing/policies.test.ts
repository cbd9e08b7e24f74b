import { describe, expect, it } from 'vitest';
import { policies } from '../../../src/routing/policies.ts';
import { candidate, shares, sharesUnderLoad, surroundings } from './candidates.ts';

describe.each(Object.entries(policies))('the policy %s', (_name, policy) => {
  it('gives idle servers of equal weight equal shares', () => {
    const choose = policy([candidate('a'), candidate('b'), candidate('c')], surroundings());
    const got = shares(choose);
    expect(got.a).toBeCloseTo(1 / 3, 1);
    expect(got.b).toBeCloseTo(1 / 3, 1);
    expect(got.c).toBeCloseTo(1 / 3, 1);
  });

  it('follows the weights under load', () => {
    const choose = policy([candidate('light'), candidate('heavy', { weight: 3 })], surroundings());
    expect(sharesUnderLoad(choose, 64).heavy).toBeCloseTo(0.75, 1);
  });

  it('gives a returned server a small share at first', () => {
    const choose = policy(
      [candidate('old'), candidate('back', { upSince: 1_000_000 })],
      surroundings({ now: () => 1_000_000 }),
    );
    expect(sharesUnderLoad(choose, 64).back).toBeLessThan(0.2);
  });

  it('gives a returned server half of a full share half-way through the ramp-up', () => {
    let now = 1_000_000;
    const choose = policy(
      [candidate('old'), candidate('back', { upSince: now })],
      surroundings({ now: () => now, rampUpMs: 10_000 }),
    );
    now += 5_000;
    expect(sharesUnderLoad(choose, 64).back).toBeCloseTo(0.355, 1);
  });

  it('gives a returned server its full share after the ramp-up', () => {
    let now = 1_000_000;
    const choose = policy(
      [candidate('old'), candidate('back', { upSince: now })],
      surroundings({ now: () => now, rampUpMs: 10_000 }),
    );
    now += 10_000;
    expect(sharesUnderLoad(choose, 64).back).toBeCloseTo(0.5, 1);
  });
});

describe.each(['p2c', 'round-robin', 'random'] as const)('the policy %s', (name) => {
  it('gives idle servers shares by weight', () => {
    const servers = [candidate('one'), candidate('two', { weight: 2 }), candidate('five', { weight: 5 })];
    const got = shares(policies[name](servers, surroundings()));
    expect(got.one).toBeCloseTo(1 / 8, 1);
    expect(got.two).toBeCloseTo(2 / 8, 1);
    expect(got.five).toBeCloseTo(5 / 8, 1);
  });

  it('looks at no more than two servers for one choice', () => {
    let looks = 0;
    const servers = Array.from({ length: 100 }, (_, index) => ({
      ...candidate(String(index)),
      get inFlight() {
        looks += 1;
        return 0;
      },
    }));
    const choose = policies[name](servers, surroundings());
    looks = 0;
    for (let i = 0; i < 100; i += 1) choose();
    expect(looks).toBeLessThanOrEqual(200);
  });
});
