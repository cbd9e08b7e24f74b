import { generationsOf, proofOf } from './names.ts';
import type { Era, Filled, SeenRecord } from './store.ts';

/** What a reader wants, and when. */
export interface Wanted {
  readonly era: Era;
  /** Which value it is. */
  readonly what: string;
  /** By the clock of the store. */
  readonly now: number;
}

/**
 * The value of an entry, if it may be served: of this era, the value that is asked for, still fresh, and neither it nor
 * one of its tags invalidated since before it was loaded, nor about to be. Pure.
 */
export function servable(
  records: readonly (SeenRecord | undefined)[],
  { era, what, now }: Wanted,
): Filled | undefined {
  const filled = records[0]?.filled;
  if (filled === undefined || filled.freshUntil <= now) return undefined;
  const gens = generationsOf(records, era);
  if (gens === undefined || records.some((record) => record?.isPending === true)) return undefined;
  return filled.proof === proofOf(what, gens.slice(1)) ? filled : undefined;
}
