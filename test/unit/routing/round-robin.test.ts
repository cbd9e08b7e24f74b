import { describe, expect, it } from 'vitest';
import { roundRobin, smoothCycle } from '../../../src/routing/round-robin.ts';
import { candidate, surroundings } from './candidates.ts';

describe('round-robin', () => {
  it.each([
    [[1], [0]],
    [
      [1, 1],
      [0, 1],
    ],
    [
      [1, 2],
      [1, 0, 1],
    ],
    [
      [5, 1, 1],
      [0, 0, 1, 0, 2, 0, 0],
    ],
  ])('spreads the turns of weights %j as %j', (weights, turns) => {
    expect(smoothCycle(weights)).toEqual(turns);
  });

  it('takes exact turns over each cycle', () => {
    const servers = [candidate('a', { weight: 20 }), candidate('b', { weight: 40 })];
    const choose = roundRobin(servers, surroundings());
    for (let cycle = 0; cycle < 10; cycle += 1) {
      const names = [choose(), choose(), choose()].map(({ name }) => name).sort();
      expect(names).toEqual(['a', 'b', 'b']);
    }
  });

  it('gives the lightest its turn when the weights need a longer cycle than is written out', () => {
    const servers = [1, 99, 100, 100, 100, 97].map((weight, index) => candidate(String(index), { weight }));
    const choose = roundRobin(servers, surroundings());
    const turns = Array.from({ length: 500 }, () => choose().name);
    expect(turns.filter((name) => name === '0').length).toBeGreaterThanOrEqual(1);
    expect(turns.filter((name) => name === '2').length / 500).toBeCloseTo(100 / 497, 1);
  });

  it('does not start every cycle with the heaviest server', () => {
    const servers = [candidate('heavy', { weight: 3 }), candidate('light')];
    const { random } = surroundings();
    const firsts = Array.from({ length: 400 }, () => roundRobin(servers, surroundings({ random }))().name);
    expect(firsts.filter((name) => name === 'light').length / 400).toBeCloseTo(0.25, 1);
  });
});
