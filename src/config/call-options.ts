import { ConfigError, type ConfigIssue } from '../errors/errors.ts';
import { describeValue } from './redact.ts';
import { nearest } from './suggest.ts';

/** The part of a zod schema that rows are checked with; any copy and version of zod has it. */
export interface RowSchema<Row> {
  /** Never throws. */
  safeParse(row: unknown): RowVerdict<Row>;
}

/** What a schema says of a row: the row as it makes it, or what is wrong with it. */
export type RowVerdict<Row> =
  | { readonly success: true; readonly data: Row }
  | {
      readonly success: false;
      readonly error: {
        readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
      };
    };

/** What a single call or a handle may be given. `undefined` counts as absent. */
export interface CallOptions {
  /** Deadline of the call in milliseconds; default `timeoutMs` of the configuration. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call with `AbortedError` when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Your word that the statement may take effect twice: then it is repeated even when its outcome is unknown. Default `false`. */
  readonly idempotent?: boolean | undefined;
  /** The server binds the values, instead of vipsql escaping them into the text. Default `false`. */
  readonly prepare?: boolean | undefined;
  /** A zod schema that checks and converts each row. */
  readonly schema?: RowSchema<unknown> | undefined;
  /** Columns to parse as JSON where the server does not say which ones are (MariaDB). */
  readonly json?: readonly string[] | undefined;
  /** The handle is meant to be used inside a transaction closure, outside of the transaction. Default `false`. */
  readonly insideTransaction?: boolean | undefined;
}

/**
 * What a read on a replica must see.
 *
 * - `eventual`: anything, however old.
 * - `session`: what the session has written and read, and what `after` stands for.
 * - `strong`: all that was committed when the call began.
 */
export type Consistency = 'eventual' | 'session' | 'strong';

/** Values in the cache: those of the keys, those with one of the tags, and those that follow one of the tables. */
export interface InvalidationTargets {
  readonly keys?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** As `'table'` or `'schema.table'`, among `cache.tables` of the configuration. */
  readonly tables?: readonly string[] | undefined;
}

/** What a statement on the primary may be given. `undefined` counts as absent. */
export interface PrimaryOptions extends CallOptions {
  /**
   * Values in the cache that the statement makes old. Announced before it is sent and completed before it resolves, so
   * that whatever happens in between, no read that begins afterwards is given an old one.
   */
  readonly invalidates?: InvalidationTargets | undefined;
}

/** What a read on a replica or a handle for such reads may be given. `undefined` counts as absent. */
export interface ReplicaOptions extends CallOptions {
  /** Default: `'session'` inside `db.session` and with `after`, else `'eventual'`. */
  readonly consistency?: Consistency | undefined;
  /** A token: the read sees what it stands for. */
  readonly after?: string | undefined;
  /**
   * Only replicas that are known to be no older than this, in milliseconds. Default: `lag.maxLagMs` of the
   * configuration, which holds besides.
   */
  readonly maxLagMs?: number | undefined;
}

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

/** Options of a call whose rows have the type of a schema. */
export interface SchemaOption<Row> {
  readonly schema: RowSchema<Row>;
}

/** How far a transaction is kept apart from others, as `SET TRANSACTION ISOLATION LEVEL` takes it. */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

/** What `db.session` may be given. `undefined` counts as absent. */
export interface SessionOptions {
  /** What `db.token()` gave earlier, here or in another process: the session goes on from there. */
  readonly token?: string | undefined;
}

/** What `db.transaction` may be given. `undefined` counts as absent. */
export interface TransactionOptions {
  /** Default: that of the server. */
  readonly isolation?: IsolationLevel | undefined;
  /** `START TRANSACTION READ ONLY`: the server refuses writes inside. Default `false`. */
  readonly readOnly?: boolean | undefined;
  /** Deadline in milliseconds over all tries; default `transactionTimeoutMs` of the configuration. */
  readonly timeoutMs?: number | undefined;
  /** Ends the transaction with `AbortedError` when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the closure may run again after a failure that left nothing committed. Default `true`. */
  readonly retry?: boolean | undefined;
  /** `true`: a COMMIT whose answer is lost is looked up in the commit ledger, instead of left in doubt. Default `false`. */
  readonly exactlyOnce?: boolean | undefined;
}

/** What `db.transaction` may be given for a request that the caller has a key for. */
export interface KeyedTransactionOptions extends Omit<TransactionOptions, 'exactlyOnce'> {
  /** A transaction with this key is done once, whoever asks for it and how often; the key has 1 to 200 bytes. */
  readonly exactlyOnce: { readonly key: string };
}

/** What a value has to be. */
export interface Check {
  readonly rule: string;
  readonly accepts: (value: unknown) => boolean;
}

export type Checks = Readonly<Record<string, Check>>;

/** The longest idempotency key, in bytes of UTF-8. */
const longestKeyBytes = 200;

/** The longest time that Node's timers can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

export const flag: Check = { rule: 'must be true or false', accepts: (value) => typeof value === 'boolean' };

const timeoutMs: Check = {
  rule: `must be a number of milliseconds from 1 to ${longestTimeoutMs}`,
  accepts: (value) => typeof value === 'number' && value >= 1 && value <= longestTimeoutMs,
};

const signal: Check = { rule: 'must be an AbortSignal', accepts: (value) => value instanceof AbortSignal };

const callChecks: Checks = {
  timeoutMs,
  signal,
  idempotent: flag,
  prepare: flag,
  schema: {
    rule: 'must be a zod schema',
    accepts: (value) => typeof value === 'object' && value !== null && 'safeParse' in value,
  },
  json: {
    rule: 'must be a list of column names',
    accepts: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  },
  insideTransaction: flag,
};

const levels: readonly string[] = ['eventual', 'session', 'strong'] satisfies readonly Consistency[];

const replicaChecks: Checks = {
  ...callChecks,
  consistency: {
    rule: `must be ${levels.map((level) => `'${level}'`).join(' or ')}`,
    accepts: (value) => typeof value === 'string' && levels.includes(value),
  },
  after: { rule: 'must be a token', accepts: (value) => typeof value === 'string' },
  maxLagMs: timeoutMs,
};

/** The longest key or tag, in characters. */
const longestName = 512;
const mostTags = 32;
const mostTargets = 1_000;

/** Half a surrogate pair is lost on the way to Redis, and two names would become one. */
function isName(value: unknown): boolean {
  return (
    typeof value === 'string' && value !== '' && value.length <= longestName && !/\p{Surrogate}/u.test(value)
  );
}

function namesCheck(most: number): Check {
  return {
    rule: `must be a list of at most ${most} texts of 1 to ${longestName} characters`,
    accepts: (value) => Array.isArray(value) && value.length <= most && value.every(isName),
  };
}

const targetChecks: Checks = {
  keys: namesCheck(mostTargets),
  tags: namesCheck(mostTargets),
  tables: namesCheck(mostTargets),
};

const cachedChecks: Checks = {
  ttlMs: timeoutMs,
  negativeTtlMs: timeoutMs,
  staleMs: {
    rule: `must be a number of milliseconds from 0 to ${longestTimeoutMs}`,
    accepts: (value) => value === 0 || timeoutMs.accepts(value),
  },
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
  after: { rule: 'must be a token', accepts: (value) => typeof value === 'string' },
};

const cacheReadChecks: Checks = {
  ...cachedChecks,
  tables: namesCheck(mostTags),
  consistency: cachedConsistency,
  after: { rule: 'must be a token', accepts: (value) => typeof value === 'string' },
  timeoutMs,
  signal,
  insideTransaction: flag,
};

const isolationLevels: readonly string[] = [
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
] satisfies readonly IsolationLevel[];

const transactionChecks: Checks = {
  isolation: {
    rule: `must be ${isolationLevels.map((level) => `'${level}'`).join(' or ')}`,
    accepts: (value) => typeof value === 'string' && isolationLevels.includes(value),
  },
  readOnly: flag,
  timeoutMs,
  signal,
  retry: flag,
  exactlyOnce: {
    rule: `must be true, false or { key }, where the key is a text of 1 to ${longestKeyBytes} bytes`,
    accepts: (value) => typeof value === 'boolean' || isKeyed(value),
  },
};

function isKeyed(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).some((name) => name !== 'key'))
    return false;
  const { key } = value as Readonly<Record<string, unknown>>;
  return typeof key === 'string' && key !== '' && Buffer.byteLength(key) <= longestKeyBytes;
}

const sessionChecks: Checks = {
  token: { rule: 'must be a token', accepts: (value) => typeof value === 'string' },
};

const waitChecks: Checks = { timeoutMs, signal };

const closeChecks: Checks = {
  timeoutMs: {
    rule: `must be a number of milliseconds from 0 to ${longestTimeoutMs}`,
    accepts: (value) => value === 0 || timeoutMs.accepts(value),
  },
};

/** Checks the options of a call. @throws {ConfigError} */
export function checkCallOptions(options: CallOptions | undefined): void {
  if (options !== undefined) checkOptions(options, callChecks);
}

/** Checks the options of a read on a replica. @throws {ConfigError} */
export function checkReplicaOptions(options: ReplicaOptions | undefined): void {
  if (options !== undefined) checkOptions(options, replicaChecks);
}

/** Checks the options of a statement on the primary. @throws {ConfigError} */
export function checkPrimaryOptions(options: PrimaryOptions | undefined): void {
  if (options === undefined) return;
  const { invalidates, ...others } = options;
  checkOptions(others, callChecks);
  if (invalidates !== undefined) checkInvalidation(invalidates, 'invalidates.');
}

/** Checks what is to be invalidated; `prefix` is where it stands in something larger. @throws {ConfigError} */
export function checkInvalidation(targets: InvalidationTargets, prefix = ''): void {
  checkOptions(targets, targetChecks, prefix);
}

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

/** Checks the options of a session. @throws {ConfigError} */
export function checkSessionOptions(options: SessionOptions | undefined): void {
  if (options !== undefined) checkOptions(options, sessionChecks);
}

/** Checks the options of what is only waited for. @throws {ConfigError} */
export function checkWaitOptions(options: Pick<CallOptions, 'timeoutMs' | 'signal'>): void {
  checkOptions(options, waitChecks);
}

/** Checks the options of closing. @throws {ConfigError} */
export function checkCloseOptions(options: Pick<CallOptions, 'timeoutMs'>): void {
  checkOptions(options, closeChecks);
}

/** Checks what is to be run. @throws {ConfigError} */
export function checkClosure(fn: unknown): void {
  if (typeof fn === 'function') return;
  throw new ConfigError([{ path: 'fn', rule: 'must be a function', received: describeValue(fn) }], {
    subject,
  });
}

/** Checks the options of a transaction. @throws {ConfigError} */
export function checkTransactionOptions(
  options: TransactionOptions | KeyedTransactionOptions | undefined,
): void {
  if (options === undefined) return;
  checkOptions(options, transactionChecks);
  const { exactlyOnce = false, readOnly = false } = options;
  if (exactlyOnce === false || !readOnly) return;
  const rule = 'must not be combined with `readOnly`: nothing is committed that could be done twice';
  throw new ConfigError([{ path: 'exactlyOnce', rule, received: describeValue(exactlyOnce) }], { subject });
}

/** What a {@link ConfigError} about them begins with. */
const subject = 'options of a call';

/** Checks the options of anything, at `prefix` of something larger. @throws {ConfigError} */
export function checkOptions(options: object, checks: Checks, prefix = ''): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const rule = 'must be an object';
    throw new ConfigError([{ path: 'options', rule, received: describeValue(options) }], { subject });
  }
  let issues: ConfigIssue[] | undefined;
  for (const name in options) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || (Object.hasOwn(checks, name) && checks[name]?.accepts(value) === true))
      continue;
    issues ??= [];
    issues.push({
      path: `${prefix}${name}`,
      rule: checks[name]?.rule ?? unknownRule(name, checks),
      received: describeValue(value, [name]),
    });
  }
  if (issues !== undefined) throw new ConfigError(issues, { subject });
}

function unknownRule(name: string, checks: Checks): string {
  const known = Object.keys(checks);
  const near = nearest(name, known);
  return near === undefined
    ? `is not an option; there are ${known.map((option) => `\`${option}\``).join(', ')}`
    : `is not an option; did you mean \`${near}\`?`;
}
