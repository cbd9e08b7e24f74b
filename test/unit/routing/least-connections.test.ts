import { describe, expect, it } from 'vitest';
import { leastConnections } from '../../../src/routing/least-connections.ts';
import { candidate, shares, surroundings } from './candidates.ts';

describe('least-connections', () => {
  it.each([
    ['the fewest reads', [{ inFlight: 3 }, { inFlight: 2 }, { inFlight: 4 }], 1],
    ['the fewest reads per weight', [{ inFlight: 3 }, { inFlight: 5, weight: 2 }, { inFlight: 4 }], 1],
    ['the heavier one while both are idle', [{ weight: 1 }, { weight: 2 }], 1],
    [
      'no regard to latency',
      [
        { inFlight: 1, latencyMs: 900 },
        { inFlight: 2, latencyMs: 1 },
      ],
      0,
    ],
  ] as const)('takes the one with %s', (_, facts, expected) => {
    const servers = facts.map((fact, index) => candidate(String(index), fact));
    expect(leastConnections(servers, surroundings())().name).toBe(String(expected));
  });

  it('does not favour the first of several equals', () => {
    const choose = leastConnections([candidate('a'), candidate('b')], surroundings());
    expect(shares(choose).a).toBeCloseTo(0.5, 1);
  });
});
