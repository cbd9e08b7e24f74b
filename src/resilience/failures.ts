import type { Outcome } from '../errors/errors.ts';
import { isLineFailure, isLoginFailure, isTlsFailure } from './driver-codes.ts';
import { type Meaning, meaningOf, reasonOf, type Vendor } from './failure-codes.ts';

export type { Vendor };

/** What went wrong, as far as it changes what vipsql does. */
export type FailureKind =
  /** The line to the server broke or the server ended the session. */
  | 'lost'
  /** No connection came about: address, network, greeting. */
  | 'connect'
  /** The login was refused: user, password, database, host or plugin. */
  | 'access'
  /** Certificate or encryption. */
  | 'tls'
  /** Too many connections (1040, 1203, 1226 …). */
  | 'overloaded'
  /** The server has banned this host after too many broken logins (1129). */
  | 'host-blocked'
  /** The server is up and closed to applications (offline mode, Galera node not ready). */
  | 'offline'
  /** The server takes no writes: it is not the primary. */
  | 'read-only'
  /** A write on a session that vipsql has set to READ ONLY. */
  | 'replica-read-only'
  /** The server rolled the transaction back: deadlock, certification. */
  | 'deadlock'
  /** A lock was not to be had. */
  | 'lock-timeout'
  /** The server says that it may work later. */
  | 'transient'
  /** KILL QUERY, or the server's own time limit. */
  | 'killed'
  | 'duplicate-key'
  /** The server failed while it committed. */
  | 'commit-failed'
  /** vipsql's deadline passed. */
  | 'timeout'
  /** The caller's signal fired. */
  | 'aborted'
  /** The driver failed by itself. */
  | 'driver'
  /** Any other error of the statement. */
  | 'sql';

/** A failure that has been understood: see {@link classifyFailure}. */
export interface Failure {
  readonly kind: FailureKind;
  readonly outcome: Outcome;
  readonly errno?: number;
  readonly sqlState?: string;
  /** Symbol or code: `ER_LOCK_DEADLOCK`, `ECONNRESET`. */
  readonly reason?: string;
  readonly message: string;
  /** What was caught; mysql2's `sql`, which contains values, is gone. */
  readonly cause: unknown;
  /** Whether the connection may go back to its pool. */
  readonly connection: 'keep' | 'destroy';
  /** The address, where there was no connection yet that could tell. */
  readonly server?: string;
}

/** What was going on when it failed. */
export interface FailureContext {
  /** `undefined` until the greeting has told. */
  readonly vendor: Vendor | undefined;
  readonly phase: 'connect' | 'prepare' | 'statement' | 'commit';
  /** Whether bytes of the statement were handed to the socket. */
  readonly sent: boolean;
  /** `single-write`: one INSERT, UPDATE, DELETE or REPLACE; `other`: CALL, DO, LOAD, DDL and whatever was not recognised. */
  readonly statement: 'single-write' | 'read' | 'other';
  /** A transaction is open, so that the statement is not one by itself. Default `false`. */
  readonly inTransaction?: boolean;
  /** vipsql has set the session to READ ONLY. Default `false`. */
  readonly readOnlySession?: boolean;
  /** vipsql itself has sent a KILL QUERY for this statement. Default `false`. */
  readonly killedByUs?: boolean;
}

/** What a caught error has to say. */
interface Report {
  readonly message: string;
  readonly code: string | undefined;
  /** Only for errors that the server sent. */
  readonly server: { readonly errno: number; readonly sqlState: string } | undefined;
  readonly fatal: boolean;
}

const kindOfMeaning: Readonly<Record<Meaning, FailureKind>> = {
  access: 'sql',
  overloaded: 'overloaded',
  'host-blocked': 'host-blocked',
  offline: 'offline',
  'connection-lost': 'lost',
  'read-only': 'read-only',
  'read-only-transaction': 'sql',
  'rolled-back': 'deadlock',
  'lock-timeout': 'lock-timeout',
  transient: 'transient',
  killed: 'killed',
  'time-limit': 'killed',
  'duplicate-key': 'duplicate-key',
  'commit-failed': 'commit-failed',
  'too-large': 'sql',
  signal: 'sql',
  unparsed: 'sql',
};

/** Tells what a caught error means for the statement, the connection and the server. Never throws. */
export function classifyFailure(cause: unknown, context: FailureContext): Failure {
  const report = read(cause);
  const { server } = report;
  if (server === undefined) return describe(cause, report, context, ofDriver(report, context));
  const meaning = meaningOf({ vendor: context.vendor, message: report.message, ...server });
  const verdict = context.phase === 'connect' ? ofLogin(meaning) : ofStatement(meaning, context);
  return describe(cause, report, context, report.fatal ? { ...verdict, connection: 'destroy' } : verdict);
}

type Verdict = Pick<Failure, 'kind' | 'outcome' | 'connection'>;

function ofLogin(meaning: Meaning | undefined): Verdict {
  const kind =
    meaning === 'access' || meaning === 'overloaded' || meaning === 'host-blocked' || meaning === 'offline'
      ? meaning
      : 'connect';
  return { kind, outcome: 'not-executed', connection: 'destroy' };
}

function ofDriver({ code, message }: Report, { phase, sent }: FailureContext): Verdict {
  if (phase === 'connect') {
    const kind = isTlsFailure(code) ? 'tls' : isLoginFailure(code) ? 'access' : 'connect';
    return { kind, outcome: 'not-executed', connection: 'destroy' };
  }
  // A prepare only reads the statement: nothing of it runs.
  const outcome = sent && phase !== 'prepare' ? 'unknown' : 'not-executed';
  return { kind: isLineFailure(code, message) ? 'lost' : 'driver', outcome, connection: 'destroy' };
}

function ofStatement(meaning: Meaning | undefined, context: FailureContext): Verdict {
  const kind = kindOf(meaning, context);
  const outcome = outcomeOf(kind, meaning, context);
  return { kind, outcome, connection: connectionAfter(kind, outcome, meaning, context) };
}

function kindOf(meaning: Meaning | undefined, context: FailureContext): FailureKind {
  if (meaning === undefined) return 'sql';
  const refusesWrites = meaning === 'read-only' || meaning === 'read-only-transaction';
  // A read_only server refuses a write before it looks at the session: 1290 comes where 1792 would come too.
  if (refusesWrites && context.readOnlySession === true) return 'replica-read-only';
  if (meaning !== 'read-only-transaction') return kindOfMeaning[meaning];
  // Outside a transaction of the caller's it is the server's default (transaction_read_only), a fence like read_only.
  return context.inTransaction === true ? 'sql' : 'read-only';
}

function outcomeOf(kind: FailureKind, meaning: Meaning | undefined, context: FailureContext): Outcome {
  if (context.phase === 'prepare' || !context.sent) return 'not-executed';
  // A session that is READ ONLY from its first statement on has written nothing, whatever ran in it.
  if (kind === 'replica-read-only') return 'not-executed';
  if (context.phase === 'commit') {
    return kind === 'read-only' || kind === 'deadlock' ? 'rolled-back' : 'unknown';
  }
  // A routine may have committed a part before it failed; of unrecognised text nothing is known.
  if (context.statement === 'other' || kind === 'lost' || kind === 'commit-failed') return 'unknown';
  if (kind === 'deadlock') return 'rolled-back';
  if (kind === 'read-only' || kind === 'offline' || meaning === 'unparsed') return 'not-executed';
  if (meaning === 'killed' && context.inTransaction !== true) return 'rolled-back';
  return 'statement-rolled-back';
}

function connectionAfter(
  kind: FailureKind,
  outcome: Outcome,
  meaning: Meaning | undefined,
  context: FailureContext,
): Failure['connection'] {
  if (kind === 'lost' || kind === 'read-only' || kind === 'offline' || kind === 'commit-failed')
    return 'destroy';
  if (meaning === 'too-large') return 'destroy';
  if (context.phase === 'commit') return outcome === 'rolled-back' ? 'keep' : 'destroy';
  // A KILL QUERY that came too late for this statement would hit the next one on this connection.
  if (context.killedByUs === true && kind !== 'killed') return 'destroy';
  // A routine that failed may have left a transaction open, which an error packet does not tell.
  return outcome === 'unknown' ? 'destroy' : 'keep';
}

function describe(cause: unknown, report: Report, context: FailureContext, verdict: Verdict): Failure {
  const { server, code, message } = report;
  const reason = server === undefined ? code : reasonOf(context.vendor, server.errno, code);
  return {
    ...verdict,
    message,
    cause: withoutSql(cause),
    ...(server ?? {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

function read(cause: unknown): Report {
  if (typeof cause !== 'object' || cause === null) {
    return { message: String(cause), code: undefined, server: undefined, fatal: false };
  }
  const { message, code, errno, sqlState, fatal } = cause as Record<string, unknown>;
  // Node gives its own errors negative numbers and no SQLSTATE.
  const fromServer = typeof errno === 'number' && errno > 0 && typeof sqlState === 'string';
  return {
    message: typeof message === 'string' ? message : 'no message',
    code: typeof code === 'string' ? code : undefined,
    server: fromServer ? { errno, sqlState } : undefined,
    fatal: fatal === true,
  };
}

function withoutSql(cause: unknown): unknown {
  if (typeof cause === 'object' && cause !== null && 'sql' in cause) Reflect.deleteProperty(cause, 'sql');
  return cause;
}
