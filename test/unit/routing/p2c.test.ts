import { describe, expect, it } from 'vitest';
import { p2c } from '../../../src/routing/p2c.ts';
import { candidate, seededRandom, shares, surroundings } from './candidates.ts';

describe('p2c', () => {
  it.each([
    ['the faster one', { latencyMs: 4 }, { latencyMs: 2 }],
    ['the one with fewer reads in flight', { inFlight: 3 }, { inFlight: 1 }],
    ['the one with fewer reads in flight per weight', { inFlight: 4 }, { inFlight: 6, weight: 3 }],
    ['a slow idle one over a fast busy one', { latencyMs: 2, inFlight: 9 }, { latencyMs: 10 }],
  ])('always takes %s of two', (_, worse, better) => {
    const choose = p2c([candidate('worse', worse), candidate('better', better)], surroundings());
    expect(shares(choose)).toEqual({ better: expect.closeTo(1, 5) });
  });

  it.each([
    ['below a millisecond', 0.1, 0.9],
    ['of less than a quarter', 10, 12],
  ])('does not mind differences of latency %s', (_, fast, slow) => {
    const choose = p2c(
      [candidate('fast', { latencyMs: fast }), candidate('slow', { latencyMs: slow })],
      surroundings(),
    );
    expect(shares(choose).slow).toBeCloseTo(0.5, 1);
  });

  it('sends few reads to the one slow server of many', () => {
    const others = Array.from({ length: 9 }, (_, index) => candidate(`fast ${index}`, { latencyMs: 2 }));
    const choose = p2c([...others, candidate('slow', { latencyMs: 200 })], surroundings());
    expect(shares(choose).slow ?? 0).toBe(0);
  });

  it('chooses among two of which one outweighs the other a hundred times', () => {
    const choose = p2c([candidate('light'), candidate('heavy', { weight: 100 })], surroundings());
    expect(shares(choose).light).toBeCloseTo(0.01, 2);
  });

  it('chooses the only server when the draw has nothing else', () => {
    const choose = p2c([candidate('only')], surroundings({ random: seededRandom(7) }));
    expect(choose().name).toBe('only');
  });
});
