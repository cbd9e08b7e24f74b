/** Whether a replica takes reads, by its lag. */
export type LagStanding =
  /** Nothing has been heard of it yet. */
  | { readonly kind: 'new' }
  | { readonly kind: 'admitted' }
  /** It takes none. `goodLooks`: how many in a row were good enough to let it back. */
  | { readonly kind: 'aside'; readonly goodLooks: number };

/** Below this share of the limit a look is good enough, so that one near the limit does not come and go. */
const returnShare = 0.8;

const looksToReturn = 2;

const admitted: LagStanding = { kind: 'admitted' };

/** The standing after a look at the lag; `undefined`: the look did not tell. Pure. */
export function afterLook(standing: LagStanding, lagMs: number | undefined, maxLagMs: number): LagStanding {
  if (standing.kind === 'admitted') return asTimePasses(standing, lagMs ?? 0, maxLagMs);
  if (standing.kind === 'new') {
    return lagMs !== undefined && lagMs <= maxLagMs ? admitted : { kind: 'aside', goodLooks: 0 };
  }
  if (lagMs === undefined || lagMs >= maxLagMs * returnShare) return { kind: 'aside', goodLooks: 0 };
  const goodLooks = standing.goodLooks + 1;
  return goodLooks >= looksToReturn ? admitted : { kind: 'aside', goodLooks };
}

/** The standing when the server may be `atMostMs` old: what it said last, and the time since then. Pure. */
export function asTimePasses(
  standing: LagStanding,
  atMostMs: number | undefined,
  maxLagMs: number,
): LagStanding {
  if (standing.kind !== 'admitted' || (atMostMs !== undefined && atMostMs <= maxLagMs)) return standing;
  return { kind: 'aside', goodLooks: 0 };
}
