import { callChecks, type ReplicaOptions } from './call-options.ts';
import {
  abortSignal,
  type Check,
  type Checks,
  checkOptions,
  flag,
  milliseconds,
  millisecondsOrNone,
  token,
} from './check-options.ts';
import { isName, longestName, namesCheck } from './invalidation-targets.ts';

/** How a cached value is kept. `undefined` counts as absent. */
export interface CachedOptions {
  /** How long it is served, in milliseconds, less up to 10 %; default `cache.ttlMs` of the configuration. */
  readonly ttlMs?: number | undefined;
  /** The same for a result without rows, and for null and undefined; default `cache.negativeTtlMs`, at most `ttlMs`. */
  readonly negativeTtlMs?: number | undefined;
  /** How long it may be served once it has expired, in milliseconds, while it is loaded again; default `cache.staleMs`. */
  readonly staleMs?: number | undefined;
  /** What it is invalidated by, besides its key: at most 32 texts. */
  readonly tags?: readonly string[] | undefined;
}

/** How the answers of a handle for cached reads are kept. `undefined` counts as absent. */
export interface CachedHandleOptions extends CachedOptions {
  /** The key to invalidate it by, of 1 to 512 characters. Default: one made of the statement, its values and the database. */
  readonly key?: string | undefined;
  /**
   * Whether writes to the tables of the statement, all of which must be among `cache.tables` of the configuration, make
   * the answer old. Default `false`.
   */
  readonly tables?: boolean | undefined;
}

/** What a cached read of a handle may be given: all that one on a replica may, but for limits to the lag. */
export interface CachedCallOptions extends Omit<ReplicaOptions, 'maxLagMs' | 'consistency'> {
  /** Default: `'session'` inside `db.session` and with `after`. Never older than the last invalidation, anyway. */
  readonly consistency?: 'eventual' | 'session' | undefined;
}

/** What `db.cache.read` may be given. `undefined` counts as absent. */
export interface CacheReadOptions
  extends CachedOptions,
    Pick<CachedCallOptions, 'after' | 'consistency' | 'timeoutMs' | 'signal' | 'insideTransaction'> {
  /** Tables whose writes make the value old, as `'table'` or `'schema.table'`, all among `cache.tables` of the configuration. */
  readonly tables?: readonly string[] | undefined;
}

const mostTags = 32;

const cachedChecks: Checks = {
  ttlMs: milliseconds,
  negativeTtlMs: milliseconds,
  staleMs: millisecondsOrNone,
  tags: namesCheck(mostTags),
};

const cachedHandleChecks: Checks = {
  ...cachedChecks,
  key: { rule: `must be a text of 1 to ${longestName} characters`, accepts: isName },
  tables: flag,
};

const cachedConsistency: Check = {
  rule: "must be 'eventual' or 'session': a cached answer is as old as it may be",
  accepts: (value) => value === 'eventual' || value === 'session',
};

const cachedCallChecks: Checks = {
  ...callChecks,
  consistency: cachedConsistency,
  after: token,
};

const cacheReadChecks: Checks = {
  ...cachedChecks,
  tables: namesCheck(mostTags),
  consistency: cachedConsistency,
  after: token,
  timeoutMs: milliseconds,
  signal: abortSignal,
  insideTransaction: flag,
};

/** Checks how a handle is to cache its answers. @throws {ConfigError} */
export function checkCachedHandleOptions(options: CachedHandleOptions): void {
  checkOptions(options, cachedHandleChecks);
}

/** Checks the options of a cached read. @throws {ConfigError} */
export function checkCachedCallOptions(options: CachedCallOptions | undefined): void {
  if (options !== undefined) checkOptions(options, cachedCallChecks);
}

/** Checks the options of `db.cache.read`. @throws {ConfigError} */
export function checkCacheReadOptions(options: CacheReadOptions | undefined): void {
  if (options !== undefined) checkOptions(options, cacheReadChecks);
}
