/** Why a loaded value was not stored. */
export type FillRejection =
  /** Somebody else was loading it, or an invalidation was under way. */
  | 'no-lease'
  /** It was invalidated, or evicted, while it was loaded. */
  | 'invalidated'
  /** Larger than `cache.maxValueBytes`. */
  | 'too-large'
  /** Something in it would come back as something else: an instance of a class, a function, a text that is no Unicode. */
  | 'inexact'
  /** It had to see what no server has any more. */
  | 'position-lost'
  /** The store did not answer. */
  | 'away';

/** What the cache of one cluster has done, since it was created. */
export interface CacheStatus {
  /** `away`: reads go to the database, a few at a time. */
  readonly state: 'ready' | 'away';
  /** Answered from the cache. */
  readonly hits: number;
  /** Hits that were answered from a copy in this process. */
  readonly copyHits: number;
  /** Hits whose value had expired, and was loaded again meanwhile. */
  readonly servedStale: number;
  /** Not answered from it. */
  readonly misses: number;
  /** Misses that were answered by a load which another caller had begun. */
  readonly joined: number;
  /** Misses that were answered by another process's load. */
  readonly waited: number;
  /** Loads on the database. */
  readonly loads: number;
  /** Loads of values that had not expired yet. */
  readonly refreshedEarly: number;
  /** Loads of values that were served meanwhile, and go on being served until they may not: the load or the cache failed. */
  readonly failedRefreshes: number;
  /** Loads that had to see what the primary has now, because nobody knew what the last invalidation asks for. */
  readonly strongLoads: number;
  /** Reads past the cache: it was away, or a failed invalidation is still to be delivered. */
  readonly bypassed: number;
  readonly fills: number;
  readonly rejectedFills: Readonly<Record<FillRejection, number>>;
  /** Values in the cache that could not be read. */
  readonly corrupt: number;
  /** Keys and tags that were invalidated. */
  readonly invalidations: number;
  /** Calls and writes of which an invalidation was not delivered in time. */
  readonly failedInvalidations: number;
  /** Milliseconds that delivered invalidations took altogether, waits for copies included; what lies before the commit is not. */
  readonly invalidationMs: number;
  /** Bytes of values that were served from the store, and that were stored. */
  readonly bytesRead: number;
  readonly bytesStored: number;
  /** Copies of values in this process, and about how many bytes they take. */
  readonly copies: number;
  readonly copyBytes: number;
  /** Keys and tags that this process reads past the cache until their invalidation is delivered. */
  readonly quarantined: number;
}

/** What is so now, and not counted. */
export type CacheGauges = Pick<CacheStatus, 'state' | 'quarantined' | 'copies' | 'copyBytes'>;

type Counts = { -readonly [K in keyof Omit<CacheStatus, keyof CacheGauges | 'rejectedFills'>]: number };

/** Counts what the cache does. */
export class CacheStats {
  readonly counts: Counts = {
    hits: 0,
    copyHits: 0,
    servedStale: 0,
    misses: 0,
    joined: 0,
    waited: 0,
    loads: 0,
    refreshedEarly: 0,
    failedRefreshes: 0,
    strongLoads: 0,
    bypassed: 0,
    fills: 0,
    corrupt: 0,
    invalidations: 0,
    failedInvalidations: 0,
    invalidationMs: 0,
    bytesRead: 0,
    bytesStored: 0,
  };
  readonly #rejected: Record<FillRejection, number> = {
    'no-lease': 0,
    invalidated: 0,
    'too-large': 0,
    inexact: 0,
    'position-lost': 0,
    away: 0,
  };

  rejected(reason: FillRejection): void {
    this.#rejected[reason] += 1;
  }

  status(gauges: CacheGauges): CacheStatus {
    return { ...this.counts, rejectedFills: { ...this.#rejected }, ...gauges };
  }
}
