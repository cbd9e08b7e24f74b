import type { Policy } from './candidate.ts';
import { followWeights } from './ramp-up.ts';

/** Takes the candidate with the fewest reads in flight per weight; it looks at each of them. */
export const leastConnections: Policy = (candidates, surroundings) => {
  const weigh = followWeights(candidates, surroundings, (weights) => weights);
  return () => {
    const weights = weigh();
    // Among equals the first one met wins, so that where to begin decides who that is.
    const start = Math.floor(surroundings.random() * candidates.length);
    let best = start;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (let step = 0; step < candidates.length; step += 1) {
      const index = (start + step) % candidates.length;
      const load = ((candidates[index]?.inFlight ?? 0) + 1) / (weights[index] ?? 1);
      if (load < bestLoad) {
        best = index;
        bestLoad = load;
      }
    }
    return candidates[best] as (typeof candidates)[number];
  };
};
