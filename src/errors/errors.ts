/**
 * What is known of a statement that failed.
 *
 * - `not-executed`: the server never ran it.
 * - `statement-rolled-back`: the server undid this statement; earlier statements of the transaction stand.
 * - `rolled-back`: the server undid the whole transaction.
 * - `unknown`: it was sent and no answer tells what became of it.
 */
export type Outcome = 'not-executed' | 'statement-rolled-back' | 'rolled-back' | 'unknown';

/** Facts that any {@link VipsqlError} may carry. */
export interface ErrorFacts {
  /** Defaults to `not-executed`. */
  readonly outcome?: Outcome | 'executed' | undefined;
  /** The server that was asked, as `host:port`. */
  readonly server?: string | undefined;
  /** The epoch of the primary connection that was used. */
  readonly epoch?: number | undefined;
  /** How often the operation was tried, the first time included. */
  readonly attempts?: number | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for('vipsql.error');

/** Every error that vipsql throws: match on {@link code}, decide on {@link outcome}. */
export abstract class VipsqlError extends Error {
  abstract readonly code: ErrorCode;
  /** What is known of the statement; `executed` when it ran and only its result was not what had been asked for. */
  readonly outcome: Outcome | 'executed';
  readonly server: string | undefined;
  readonly epoch: number | undefined;
  readonly attempts: number | undefined;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.outcome = facts.outcome ?? 'not-executed';
    this.server = facts.server;
    this.epoch = facts.epoch;
    this.attempts = facts.attempts;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** `instanceof VipsqlError` recognises errors of another installed copy of vipsql too. */
Object.defineProperty(VipsqlError, Symbol.hasInstance, {
  value(this: unknown, error: unknown): boolean {
    const isOurs = Function.prototype[Symbol.hasInstance].call(this, error);
    return isOurs || (this === VipsqlError && isBranded(error));
  },
});

function isBranded(value: unknown): boolean {
  return typeof value === 'object' && value !== null && brand in value;
}

/** One thing that is wrong with a configuration or an option. */
export interface ConfigIssue {
  /** The option, as `pool.max`. */
  readonly path: string;
  /** What it has to be. */
  readonly rule: string;
  /** What was given, with secrets hidden. */
  readonly received: string;
}

/** The configuration or an option cannot be used; {@link issues} names each path, rule and value. */
export class ConfigError extends VipsqlError {
  override readonly code = 'VIPSQL_CONFIG';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], facts?: ErrorFacts & { readonly subject?: string }) {
    super(
      `vipsql ${facts?.subject ?? 'configuration'}: ${issues.map((i) => `${i.path}: ${i.rule} (received ${i.received})`).join('; ')}`,
      facts,
    );
    this.issues = issues;
  }
}

/** A value, placeholder or identifier of a statement is wrong; nothing was sent. */
export class ParameterError extends VipsqlError {
  override readonly code = 'VIPSQL_PARAMETER';
  /** The placeholder: its index from 0, its name, or undefined when the whole list is wrong. */
  readonly parameter: number | string | undefined;

  constructor(message: string, facts: ErrorFacts & { parameter?: number | string | undefined } = {}) {
    super(message, facts);
    this.parameter = facts.parameter;
  }
}

/** The server reports NO_BACKSLASH_ESCAPES: escaped text values would be an SQL injection, so nothing was sent. */
export class UnsafeEscapingError extends VipsqlError {
  override readonly code = 'VIPSQL_UNSAFE_ESCAPING';
}

/** `one()`, `maybeOne()` or `value()` met another number of rows or columns than it promises. */
export class RowCountError extends VipsqlError {
  override readonly code = 'VIPSQL_ROW_COUNT';
  readonly rowCount: number;

  constructor(message: string, facts: ErrorFacts & { rowCount: number }) {
    super(message, { outcome: 'executed', ...facts });
    this.rowCount = facts.rowCount;
  }
}

/** A row does not fit the zod schema of the call; the statement itself ran. */
export class RowSchemaError extends VipsqlError {
  override readonly code = 'VIPSQL_ROW_SCHEMA';
  /** Index of the first row that does not fit. */
  readonly rowIndex: number;
  /** Where in the row, as `price` or `address.city`. */
  readonly path: string;

  constructor(message: string, facts: ErrorFacts & { rowIndex: number; path: string }) {
    super(message, { outcome: 'executed', ...facts });
    this.rowIndex = facts.rowIndex;
    this.path = facts.path;
  }
}

/** An integer above 2^53-1 was asked for as a number; read `insertIdBig` instead. */
export class UnsafeIntegerError extends VipsqlError {
  override readonly code = 'VIPSQL_UNSAFE_INTEGER';

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, { outcome: 'executed', ...facts });
  }
}

/** A handle was used inside a transaction closure instead of `tx`. */
export class OutsideTransactionError extends VipsqlError {
  override readonly code = 'VIPSQL_OUTSIDE_TRANSACTION';
}

/** A statement that would commit or steer the transaction behind vipsql's back was refused in `tx`. */
export class ImplicitCommitError extends VipsqlError {
  override readonly code = 'VIPSQL_IMPLICIT_COMMIT';
}

/** `tx` was used after its closure had ended. */
export class TransactionClosedError extends VipsqlError {
  override readonly code = 'VIPSQL_TRANSACTION_CLOSED';
}

/** A statement that needs one connection of its own was given to a handle that takes any; nothing was sent. */
export class SessionStateError extends VipsqlError {
  override readonly code = 'VIPSQL_SESSION_STATE';
}

/** A replica handle was given a statement that is no pure read; nothing was changed. */
export class ReplicaReadOnlyError extends VipsqlError {
  override readonly code = 'VIPSQL_REPLICA_READ_ONLY';
}

/** A replica handle was given a statement on a `primaryOnly` table; nothing was sent. */
export class PrimaryRequiredError extends VipsqlError {
  override readonly code = 'VIPSQL_PRIMARY_REQUIRED';
  /** The table, as it stands in the statement. */
  readonly table: string;

  constructor(message: string, facts: ErrorFacts & { table: string }) {
    super(message, facts);
    this.table = facts.table;
  }
}

/** What an operation was doing when its time ran out. */
export type WaitPhase =
  | 'connection'
  | 'failover'
  | 'two-writers'
  | 'turn'
  | 'closure'
  | 'answer'
  | 'rows'
  | 'retry';

/** The operation's deadline passed; {@link phase} says what it was waiting for. */
export class TimeoutError extends VipsqlError {
  override readonly code = 'VIPSQL_TIMEOUT';
  readonly phase: WaitPhase;
  readonly timeoutMs: number;

  constructor(message: string, facts: ErrorFacts & { phase: WaitPhase; timeoutMs: number }) {
    super(message, facts);
    this.phase = facts.phase;
    this.timeoutMs = facts.timeoutMs;
  }
}

/** The caller's AbortSignal fired; its reason is the `cause`. */
export class AbortedError extends VipsqlError {
  override readonly code = 'VIPSQL_ABORTED';
}

/** As many operations as allowed already wait for a connection or for the failover to end; this one was turned away. */
export class QueueFullError extends VipsqlError {
  override readonly code = 'VIPSQL_QUEUE_FULL';
}

/** No server answered at the VIP as a writable primary until the operation's deadline. */
export class PrimaryUnavailableError extends VipsqlError {
  override readonly code = 'VIPSQL_PRIMARY_UNAVAILABLE';
}

/** Two masters were seen to write and `failover.twoWriters` is `'stop'`: the operation waited until its deadline. */
export class TwoWritersError extends VipsqlError {
  override readonly code = 'VIPSQL_TWO_WRITERS';
}

/** A session token is broken, forged or of another make; nothing was sent. */
export class InvalidTokenError extends VipsqlError {
  override readonly code = 'VIPSQL_INVALID_TOKEN';
}

/** No replica may serve and the configuration does not let the primary stand in. */
export class NoReplicaError extends VipsqlError {
  override readonly code = 'VIPSQL_NO_REPLICA';
}

/** A connection could not be opened: address, TLS, login or server limit. */
export class ConnectError extends VipsqlError {
  override readonly code = 'VIPSQL_CONNECT';
  /** The server's or system's own code: `ECONNREFUSED`, `ER_ACCESS_DENIED_ERROR` … */
  readonly reason: string | undefined;

  constructor(message: string, facts: ErrorFacts & { reason?: string | undefined } = {}) {
    super(message, facts);
    this.reason = facts.reason;
  }
}

/** The connection was lost under a statement that changes nothing, or before the statement was sent. */
export class ConnectionLostError extends VipsqlError {
  override readonly code = 'VIPSQL_CONNECTION_LOST';
}

/** The server refused to write because it is read-only: it is not the primary (any more). */
export class ReadOnlyServerError extends VipsqlError {
  override readonly code = 'VIPSQL_READ_ONLY_SERVER';
}

/**
 * Which proof was missing when a COMMIT with `exactlyOnce` could not be resolved.
 *
 * - `deadline`, `aborted`, `closed`: the time was up, the signal fired, or the cluster was closed before an answer came.
 * - `ledger-unreadable`: the primary refused to look into the commit ledger.
 * - `replication-unreadable`: the new primary does not say how it follows the lost one.
 * - `not-applied`: the new primary has not applied all that it has received.
 * - `filtered`: the new primary leaves out a part of what it receives, perhaps the ledger.
 * - `not-semi-synchronous`: commits on the lost primary did not wait for another server, or it is not known that they did.
 * - `other-acknowledger`: it is not known that the new primary alone could acknowledge them.
 */
export type MissingProof =
  | 'deadline'
  | 'aborted'
  | 'closed'
  | 'ledger-unreadable'
  | 'replication-unreadable'
  | 'not-applied'
  | 'filtered'
  | 'not-semi-synchronous'
  | 'other-acknowledger';

/** A write or COMMIT was sent and never answered: it may have happened. vipsql did not send it again. */
export class InDoubtError extends VipsqlError {
  override readonly code = 'VIPSQL_IN_DOUBT';
  /** Why the commit ledger did not help; undefined without `exactlyOnce`. */
  readonly missingProof: MissingProof | undefined;

  constructor(message: string, facts: ErrorFacts & { missingProof?: MissingProof | undefined } = {}) {
    super(message, { ...facts, outcome: 'unknown' });
    this.missingProof = facts.missingProof;
  }
}

/**
 * Why `exactlyOnce` cannot be had.
 *
 * - `no-schema`, `no-table`, `wrong-table`: the commit ledger is not there, or not as it has to be.
 * - `idempotent-replication`, `skipped-errors`: a commit that arrives late would be applied beside its repetition.
 * - `too-patient`: the deadline is too long for the time that ids are kept.
 * - `result`: what the closure gave cannot be stored for a repeat with the same key.
 */
export type ExactlyOnceProblem =
  | 'no-schema'
  | 'no-table'
  | 'wrong-table'
  | 'idempotent-replication'
  | 'skipped-errors'
  | 'too-patient'
  | 'result';

/** A transaction with `exactlyOnce` was refused, or rolled back before its COMMIT; nothing of it was done. */
export class ExactlyOnceError extends VipsqlError {
  override readonly code = 'VIPSQL_EXACTLY_ONCE';
  readonly problem: ExactlyOnceProblem;

  constructor(message: string, facts: ErrorFacts & { problem: ExactlyOnceProblem }) {
    super(message, facts);
    this.problem = facts.problem;
  }
}

/**
 * An invalidation of the cache was not delivered: before a COMMIT, which was then not sent, or one that was asked for
 * by itself. Only with `cache.onInvalidationFailure: 'throw'`.
 */
export class CacheInvalidationError extends VipsqlError {
  override readonly code = 'VIPSQL_CACHE_INVALIDATION';
}

/** What the server itself said of a statement. */
export interface ServerErrorFacts extends ErrorFacts {
  readonly errno: number;
  readonly sqlState: string;
  readonly reason?: string | undefined;
}

/** The server answered a statement with an error. */
export class SqlError extends VipsqlError {
  override readonly code:
    | 'VIPSQL_SQL'
    | 'VIPSQL_DUPLICATE_KEY'
    | 'VIPSQL_DEADLOCK'
    | 'VIPSQL_LOCK_TIMEOUT'
    | 'VIPSQL_QUERY_KILLED' = 'VIPSQL_SQL';
  /** MySQL's error number; from 3000 on it means different things on MySQL and MariaDB. */
  readonly errno: number;
  /** The five characters of SQLSTATE. */
  readonly sqlState: string;
  /** MySQL's symbol, as `ER_NO_SUCH_TABLE`. */
  readonly reason: string | undefined;

  constructor(message: string, facts: ServerErrorFacts) {
    super(message, facts);
    this.errno = facts.errno;
    this.sqlState = facts.sqlState;
    this.reason = facts.reason;
  }
}

/** A unique key would have been violated (1062, 1586). */
export class DuplicateKeyError extends SqlError {
  override readonly code = 'VIPSQL_DUPLICATE_KEY';
}

/** The server chose this transaction as the victim of a deadlock and rolled it back (1213, SQLSTATE 40…). */
export class DeadlockError extends SqlError {
  override readonly code = 'VIPSQL_DEADLOCK';
}

/** A row lock was not to be had in time (1205, 3572); the statement was undone, the transaction may stand. */
export class LockTimeoutError extends SqlError {
  override readonly code = 'VIPSQL_LOCK_TIMEOUT';
}

/** The statement was killed on the server by someone else, or by the server's own time limit. */
export class QueryKilledError extends SqlError {
  override readonly code = 'VIPSQL_QUERY_KILLED';
}

/** The cluster is closed or closing; nothing was sent. */
export class ClosedError extends VipsqlError {
  override readonly code = 'VIPSQL_CLOSED';
}

/** All codes, one per class; docs/errors.md lists each with its remedy. */
export const errorCodes = [
  'VIPSQL_ABORTED',
  'VIPSQL_CACHE_INVALIDATION',
  'VIPSQL_CLOSED',
  'VIPSQL_CONFIG',
  'VIPSQL_CONNECT',
  'VIPSQL_CONNECTION_LOST',
  'VIPSQL_DEADLOCK',
  'VIPSQL_DUPLICATE_KEY',
  'VIPSQL_EXACTLY_ONCE',
  'VIPSQL_IMPLICIT_COMMIT',
  'VIPSQL_INVALID_TOKEN',
  'VIPSQL_IN_DOUBT',
  'VIPSQL_LOCK_TIMEOUT',
  'VIPSQL_NO_REPLICA',
  'VIPSQL_OUTSIDE_TRANSACTION',
  'VIPSQL_PARAMETER',
  'VIPSQL_PRIMARY_REQUIRED',
  'VIPSQL_PRIMARY_UNAVAILABLE',
  'VIPSQL_QUERY_KILLED',
  'VIPSQL_QUEUE_FULL',
  'VIPSQL_READ_ONLY_SERVER',
  'VIPSQL_REPLICA_READ_ONLY',
  'VIPSQL_ROW_COUNT',
  'VIPSQL_ROW_SCHEMA',
  'VIPSQL_SESSION_STATE',
  'VIPSQL_SQL',
  'VIPSQL_TIMEOUT',
  'VIPSQL_TRANSACTION_CLOSED',
  'VIPSQL_TWO_WRITERS',
  'VIPSQL_UNSAFE_ESCAPING',
  'VIPSQL_UNSAFE_INTEGER',
] as const;

/** The literal `code` of every {@link VipsqlError}. */
export type ErrorCode = (typeof errorCodes)[number];
