import { ConfigError } from '../errors/errors.ts';
import {
  abortSignal,
  type Checks,
  checkOptions,
  flag,
  milliseconds,
  millisecondsOrNone,
  oneOf,
  subject,
  token,
} from './check-options.ts';
import { checkInvalidation, type InvalidationTargets } from './invalidation-targets.ts';
import { describeValue } from './redact.ts';

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

/** The longest idempotency key, in bytes of UTF-8. */
const longestKeyBytes = 200;

/** What any call may be given. */
export const callChecks: Checks = {
  timeoutMs: milliseconds,
  signal: abortSignal,
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

const replicaChecks: Checks = {
  ...callChecks,
  consistency: oneOf(...(['eventual', 'session', 'strong'] satisfies readonly Consistency[])),
  after: token,
  maxLagMs: milliseconds,
};

const isolationLevels: readonly string[] = [
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
] satisfies readonly IsolationLevel[];

const transactionChecks: Checks = {
  isolation: oneOf(...isolationLevels),
  readOnly: flag,
  timeoutMs: milliseconds,
  signal: abortSignal,
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

const sessionChecks: Checks = { token };

const waitChecks: Checks = { timeoutMs: milliseconds, signal: abortSignal };

const closeChecks: Checks = { timeoutMs: millisecondsOrNone };

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
