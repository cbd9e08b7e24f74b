/** The longest back-off between two tries of one operation. */
export const longestBackoffMs = 1_000;

/** The upper end of the wait after the `attempt`-th failure: doubles from `firstMs` and never passes 1 s (or `firstMs`). */
export function backoffCeilingMs(attempt: number, firstMs: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), Math.max(longestBackoffMs, firstMs));
}

/**
 * A random wait between 0 and `ceilingMs`: full jitter, so that clients that failed together do not come back together.
 * `random` gives numbers in [0, 1).
 */
export function fullJitter(ceilingMs: number, random: () => number = Math.random): number {
  return random() * ceilingMs;
}
