import type { Policy } from './candidate.ts';
import { followWeights } from './ramp-up.ts';
import { weightedDraw } from './weighted-draw.ts';

/** Draws by weight and looks at nothing else, in constant time. */
export const randomChoice: Policy = (candidates, surroundings) => {
  const drawOf = followWeights(candidates, surroundings, weightedDraw);
  return () => candidates[drawOf()(surroundings.random)] as (typeof candidates)[number];
};
