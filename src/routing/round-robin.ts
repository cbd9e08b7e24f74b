import type { Policy } from './candidate.ts';
import { followWeights } from './ramp-up.ts';

/** Longest cycle that is written out; weights that need a longer one are rounded to it. */
const longestCycle = 400;

/** Takes turns by weight, spread out rather than in runs (`a b a c a`, not `a a a b c`), in constant time. */
export const roundRobin: Policy = (candidates, surroundings) => {
  let next = 0;
  const cycleOf = followWeights(candidates, surroundings, (weights) => {
    const cycle = smoothCycle(integers(weights));
    // Every change of state starts a new cycle: from its beginning, the heaviest would gain by each of them.
    next = Math.floor(surroundings.random() * cycle.length);
    return cycle;
  });
  return () => {
    const cycle = cycleOf();
    if (next >= cycle.length) next = 0;
    const index = cycle[next] ?? 0;
    next += 1;
    return candidates[index] as (typeof candidates)[number];
  };
};

/** Smooth weighted round-robin as in nginx, over one full cycle. */
export function smoothCycle(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const credit = weights.map(() => 0);
  return Array.from({ length: total }, () => {
    let richest = 0;
    for (let index = 0; index < weights.length; index += 1) {
      credit[index] = (credit[index] ?? 0) + (weights[index] ?? 0);
      if ((credit[index] ?? 0) > (credit[richest] ?? 0)) richest = index;
    }
    credit[richest] = (credit[richest] ?? 0) - total;
    return richest;
  });
}

/** Whole numbers in the same proportion, each at least 1, as small as they get. */
function integers(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.every(Number.isInteger);
  const reduced = exact ? reduce(weights) : weights;
  if (exact && reduced.reduce((sum, weight) => sum + weight, 0) <= longestCycle) return reduced;
  return reduce(weights.map((weight) => Math.max(1, Math.round((weight / total) * longestCycle))));
}

function reduce(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestCommonDivisor);
  return weights.map((weight) => weight / divisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
