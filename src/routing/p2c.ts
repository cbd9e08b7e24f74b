import type { Candidate, Policy } from './candidate.ts';
import { followWeights } from './ramp-up.ts';
import { weightedDraw } from './weighted-draw.ts';

/** Latencies below this are equal: the rest is noise, and reads of one replica differ by more than that. */
const noiseMs = 1;

/** How many times cheaper the second draw has to be. Below, the draw by weight decides, so that shares stay true. */
const clearly = 1.25;

const draws = 3;

/**
 * Power of two choices: two candidates are drawn by weight, and the second is taken if it is clearly cheaper by latency
 * and by requests in flight per weight. Loads even out without anybody looking at all candidates, in constant time.
 */
export const p2c: Policy = (candidates, surroundings) => {
  const { now, random } = surroundings;
  const weigh = followWeights(candidates, surroundings, (weights) => ({
    draw: weightedDraw(weights),
    relative: relativeTo(weights),
  }));
  return () => {
    const { draw, relative } = weigh();
    const first = draw(random);
    const second = drawOther(first, () => draw(random), candidates.length);
    const [a, b] = [candidates[first], candidates[second]] as [Candidate, Candidate];
    const at = now();
    const better = clearly * cost(b, relative[second] ?? 1, at) < cost(a, relative[first] ?? 1, at);
    return candidates[better ? second : first] as (typeof candidates)[number];
  };
};

/** An idle candidate costs its latency whatever its weight, since the draw has taken that into account. */
function cost(candidate: Candidate, relativeWeight: number, now: number): number {
  return Math.max(noiseMs, candidate.latencyMs(now)) * (1 + candidate.inFlight / relativeWeight);
}

function relativeTo(weights: readonly number[]): readonly number[] {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

/** Draws until another one comes; after a few times, which means that one outweighs all, takes its neighbour. */
function drawOther(first: number, draw: () => number, count: number): number {
  if (count === 2) return 1 - first;
  for (let i = 0; i < draws; i += 1) {
    const second = draw();
    if (second !== first) return second;
  }
  return (first + 1) % count;
}
