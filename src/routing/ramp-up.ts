import type { Candidate, Surroundings } from './candidate.ts';

/** The share of its weight with which a server returns: its caches are cold, and everybody notices it at once. */
const firstShare = 0.1;

/** While a server ramps up, what was computed from its weight is computed again this often. */
const stepMs = 250;

/** A candidate's weight at this moment: grows linearly from a tenth to all of it while the server ramps up. */
export function effectiveWeight({ weight, upSince }: Candidate, { now, rampUpMs }: Surroundings): number {
  const upMs = now() - upSince;
  return upMs >= rampUpMs ? weight : weight * (firstShare + (1 - firstShare) * (upMs / rampUpMs));
}

/** Keeps something that is computed from effective weights, and computes it again while a candidate ramps up. */
export function followWeights<C extends Candidate, T>(
  candidates: readonly C[],
  surroundings: Surroundings,
  compute: (weights: readonly number[]) => T,
): () => T {
  const { now, rampUpMs } = surroundings;
  const settledAt = Math.max(...candidates.map(({ upSince }) => upSince)) + rampUpMs;
  const update = (): T => compute(candidates.map((candidate) => effectiveWeight(candidate, surroundings)));
  let nextAt = now() >= settledAt ? Number.POSITIVE_INFINITY : now() + stepMs;
  let current = update();
  return () => {
    if (nextAt === Number.POSITIVE_INFINITY) return current;
    const at = now();
    if (at < nextAt) return current;
    nextAt = at >= settledAt ? Number.POSITIVE_INFINITY : at + stepMs;
    current = update();
    return current;
  };
}
