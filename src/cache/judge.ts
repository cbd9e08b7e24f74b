import { proofOf } from './names.ts';
import type { Era, Filled, SeenRecord } from './store.ts';

/** What a reader wants, and when. */
export interface Wanted {
  readonly era: Era;
  /** Which value it is. */
  readonly what: string;
  /** By the clock of the store. */
  readonly now: number;
  /** How long a value may have expired. */
  readonly staleMs: number;
}

/**
 * The value of an entry, if it may be served: of this era, the value that is asked for, not expired for too long, and
 * neither it nor one of its tags invalidated since before it was loaded, nor about to be. Pure.
 */
export function servable(
  records: readonly (SeenRecord | undefined)[],
  { era, what, now, staleMs }: Wanted,
): Filled | undefined {
  const filled = records[0]?.filled;
  if (filled === undefined || filled.freshUntil + staleMs <= now) return undefined;
  const tagGens: string[] = [];
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index];
    if (record?.era !== era || record.isPending) return undefined;
    if (index > 0) tagGens.push(record.gen);
  }
  return filled.proof === proofOf(what, tagGens) ? filled : undefined;
}

/** What is known of a value that is served, and of the moment. */
export interface Ageing {
  readonly now: number;
  /** 0 to 1, at random. */
  readonly chance: number;
  /** 0: never before it expires. */
  readonly earlyRefresh: number;
}

/**
 * Whether a value that is served is to be loaded again meanwhile: once it has expired, and with a probability that rises
 * the nearer that is and the longer a load takes (XFetch), so that one reader begins before all of them have to. Pure.
 */
export function refreshDue(
  { freshUntil, loadMs }: Pick<Filled, 'freshUntil' | 'loadMs'>,
  { now, chance, earlyRefresh }: Ageing,
): 'expired' | 'early' | undefined {
  const leftMs = freshUntil - now;
  if (leftMs <= 0) return 'expired';
  return -earlyRefresh * loadMs * Math.log(chance) >= leftMs ? 'early' : undefined;
}
