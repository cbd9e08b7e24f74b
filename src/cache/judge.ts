import { proofOf } from './names.ts';
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
  const tagGens: string[] = [];
  for (const [index, record] of records.entries()) {
    if (record?.era !== era || record.isPending) return undefined;
    if (index > 0) tagGens.push(record.gen);
  }
  return filled.proof === proofOf(what, tagGens) ? filled : undefined;
}
