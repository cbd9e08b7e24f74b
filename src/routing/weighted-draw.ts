/** Draws an index with a probability in proportion to its weight, in constant time. */
export type WeightedDraw = (random: () => number) => number;

/** Prepares a {@link WeightedDraw} by Walker's alias method, as built by Vose. `weights` holds at least one, all above 0. */
export function weightedDraw(weights: readonly number[]): WeightedDraw {
  const count = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Each column holds its own index up to `keep`, and the index of one that has more than its column above it.
  const keep = weights.map((weight) => (weight * count) / total);
  const alias = weights.map((_, index) => index);
  const small = keep.flatMap((share, index) => (share < 1 ? [index] : []));
  const large = keep.flatMap((share, index) => (share < 1 ? [] : [index]));
  for (;;) {
    const poor = small.pop();
    const rich = large.at(-1);
    if (poor === undefined || rich === undefined) break;
    alias[poor] = rich;
    const left = (keep[rich] ?? 0) - (1 - (keep[poor] ?? 0));
    keep[rich] = left;
    if (left < 1) {
      large.pop();
      small.push(rich);
    }
  }
  return (random) => {
    const point = random() * count;
    const column = Math.floor(point);
    return point - column < (keep[column] ?? 0) ? column : (alias[column] ?? column);
  };
}
