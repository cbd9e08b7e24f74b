import type { Deadline } from '../resilience/deadline.ts';
import type { ReadNeed } from './read-need.ts';
import type { ReadTarget } from './read-target.ts';

/** Which servers are left for a read, and until when. */
export interface ReadSearch extends ReadLimits {
  readonly tried: readonly ReadTarget[];
  /** Those that may be older than the read allows. */
  readonly tooOld: readonly ReadTarget[];
  /** The one and the other. */
  readonly excluded: readonly ReadTarget[];
}

/** What a read asks of its server. */
export interface ReadLimits {
  readonly deadline: Deadline;
  readonly need: ReadNeed | undefined;
  readonly maxLagMs: number | undefined;
}

/** A server that may be too old for a read with a limit. */
export interface AgeingTarget extends ReadTarget {
  readonly lag: {
    /** How old it may be; `undefined`: nobody knows. */
    atMostMs(now: number): number | undefined;
  };
}

const none: readonly never[] = [];

/** Finds out which of the candidates a read may still go to. Pure. */
export function searchAmong(
  candidates: readonly AgeingTarget[],
  tried: readonly ReadTarget[],
  limits: ReadLimits,
  now: number,
): ReadSearch {
  const { maxLagMs } = limits;
  const tooOld =
    maxLagMs === undefined
      ? none
      : candidates.filter(({ lag }) => (lag.atMostMs(now) ?? Number.POSITIVE_INFINITY) > maxLagMs);
  return { ...limits, tried, tooOld, excluded: tooOld.length === 0 ? tried : [...tried, ...tooOld] };
}
