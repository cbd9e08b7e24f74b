import {
  AbortedError,
  ConnectError,
  ConnectionLostError,
  DeadlockError,
  DuplicateKeyError,
  type ErrorFacts,
  InDoubtError,
  LockTimeoutError,
  type Outcome,
  PrimaryUnavailableError,
  QueryKilledError,
  ReadOnlyServerError,
  ReplicaReadOnlyError,
  type ServerErrorFacts,
  SqlError,
  TimeoutError,
  TwoWritersError,
  type VipsqlError,
  type WaitPhase,
} from '../errors/errors.ts';
import type { Failure, FailureKind } from './failures.ts';
import { type InterruptedFailure, isInterrupted } from './interruption.ts';
import { isInDoubt, type Operation, unansweredKinds } from './outcome.ts';
import type { GiveUp } from './retry.ts';
import { isUnresolved } from './unresolved.ts';

/** What the layer that gives up knows beyond the failure itself. */
export interface GiveUpFacts {
  readonly operation: Operation;
  readonly server?: string | undefined;
  readonly epoch?: number | undefined;
  readonly attempts?: number | undefined;
  /** The operation's time, for a failure by its deadline. */
  readonly timeoutMs?: number | undefined;
  /** What the signal was aborted with, for a failure by it. */
  readonly abortReason?: unknown;
  readonly why?: GiveUp | undefined;
  /** Whether the caller could have allowed further tries by `idempotent: true`. */
  readonly couldBeRepeated?: boolean | undefined;
  /** How a later try of the same operation ended. */
  readonly later?: VipsqlError | undefined;
}

/** The error that the user sees: its class by the kind, its message what happened, what vipsql did, what to do next. */
export function toError(failure: Failure, given: GiveUpFacts): VipsqlError {
  const facts = { ...given, server: given.server ?? failure.server };
  const plain = plainError(failure, facts);
  if (!isInDoubt(failure.outcome, failure.kind, facts.operation)) return plain;
  const cause = facts.later ?? (isInterrupted(failure) ? plain : failure.cause);
  const missingProof = isUnresolved(failure) ? failure.missingProof : undefined;
  return new InDoubtError(inDoubtMessage(failure, facts), { ...common(failure, facts), cause, missingProof });
}

function inDoubtMessage(failure: Failure, facts: GiveUpFacts): string {
  const { message } = failure;
  const { operation } = facts;
  if (isUnresolved(failure)) {
    return (
      `The COMMIT was sent${to(facts)} and may have taken effect: ${sentence(message)} ` +
      `The commit ledger could not resolve it, because ${sentence(failure.why)} ` +
      'Look for the rows of the transaction before you repeat it; docs/exactly-once.md says what each missing proof needs.'
    );
  }
  const what = operation === 'commit' ? 'COMMIT' : 'statement';
  return `The ${what} was sent${to(facts)} and may have taken effect: ${sentence(message)} ${triedAgain(facts)} ${afterDoubt(facts)}`;
}

function triedAgain({ attempts = 1, later }: GiveUpFacts): string {
  if (later !== undefined) return `vipsql tried ${attempts} times; at last: ${sentence(later.message)}`;
  return attempts > 1 ? `vipsql tried ${attempts} times.` : 'vipsql did not send it again.';
}

function afterDoubt({ operation, couldBeRepeated }: GiveUpFacts): string {
  if (operation === 'commit') return 'Look for the rows of the transaction before you repeat it.';
  const look = 'Look for its effect before you repeat it';
  return couldBeRepeated ? `${look}, or pass idempotent: true where twice is as good as once.` : `${look}.`;
}

function plainError(failure: Failure, facts: GiveUpFacts): VipsqlError {
  if (isInterrupted(failure)) return interruptedError(failure, facts);
  const { kind, message, reason } = failure;
  const base = common(failure, facts);
  const said = sentence(message);
  const after = [tries(facts), advice[kind]].filter((text) => text !== '').join(' ');
  switch (kind) {
    case 'lost':
    case 'driver':
    case 'timeout':
    case 'aborted':
      return new ConnectionLostError(`The connection${to(facts)} was lost: ${said} ${after}`, base);
    case 'connect':
    case 'access':
    case 'tls':
      return new ConnectError(`No connection${to(facts)}: ${said} ${after}`, { ...base, reason });
    case 'overloaded':
    case 'host-blocked':
    case 'offline':
      return new ConnectError(`The server${at(facts)} takes no work: ${said} ${after}`, {
        ...base,
        reason,
      });
    case 'read-only':
      return new ReadOnlyServerError(`The server${at(facts)} is read-only: ${said} ${after}`, base);
    case 'replica-read-only':
      return new ReplicaReadOnlyError(`A replica handle takes reads only: ${said} ${after}`, base);
    default:
      return new sqlErrors[kind](
        `${message} (${numbers(failure)})${on(facts)}. ${after}`.trimEnd(),
        serverFacts(failure, base),
      );
  }
}

type SqlKind =
  | 'sql'
  | 'transient'
  | 'commit-failed'
  | 'deadlock'
  | 'lock-timeout'
  | 'killed'
  | 'duplicate-key';

const sqlErrors: Readonly<Record<SqlKind, new (message: string, facts: ServerErrorFacts) => SqlError>> = {
  sql: SqlError,
  transient: SqlError,
  'commit-failed': SqlError,
  deadlock: DeadlockError,
  'lock-timeout': LockTimeoutError,
  killed: QueryKilledError,
  'duplicate-key': DuplicateKeyError,
};

/** What to do next, per kind; empty where the server's own words are enough. */
const advice: Readonly<Record<FailureKind, string>> = {
  lost: 'Look for a restart, a kill or a network fault between here and the server.',
  driver: 'The connection was destroyed; if it happens again, report it with the cause.',
  connect: 'Check the address, that the server runs, and that the network lets this host through.',
  access: 'Check user, password, database and the grants for this host.',
  tls: 'Check that TLS is switched on at the server, ssl.ca, and that the certificate names the host that is connected to.',
  overloaded: 'Raise max_connections or the limit of the account, or lower pool.max.',
  'host-blocked': 'Run FLUSH HOSTS on the server, and find out who breaks off logins.',
  offline: 'The server comes back when its offline mode ends.',
  'read-only': 'Check read_only there and which server holds the VIP.',
  'replica-read-only': 'Use db.primary() or db.transaction().',
  deadlock: 'Take locks in the same order everywhere and keep transactions short.',
  'lock-timeout': 'Find who holds the lock; keep transactions short.',
  transient: '',
  killed: 'Somebody killed it, or the time limit of the server did.',
  'duplicate-key': '',
  'commit-failed': '',
  timeout: '',
  aborted: '',
  sql: '',
};

const waits: Readonly<Record<WaitPhase, { readonly doing: string; readonly next: string }>> = {
  connection: {
    doing: 'waiting for a free connection',
    next: 'Raise pool.max, or look for statements that take long.',
  },
  failover: { doing: 'waiting for a primary to answer', next: 'Look at the VIP and the masters.' },
  'two-writers': {
    doing: 'waiting for an end of the second writer',
    next: 'Make one master read-only; writes go on 10 s after the last evidence.',
  },
  turn: {
    doing: 'waiting for its turn on its connection',
    next: 'Read a stream to its end, or leave it, before the next statement.',
  },
  closure: {
    doing: 'waiting for the transaction to be ended',
    next: 'Do less between its beginning and its end, or raise timeoutMs.',
  },
  answer: {
    doing: 'waiting for the answer',
    next: 'Look for a missing index, a lock, or a silent server or VIP, or raise timeoutMs.',
  },
  rows: { doing: 'waiting for more rows', next: 'Look at the server and the network, or raise timeoutMs.' },
  retry: {
    doing: 'waiting to try again',
    next: 'Look at the error that made it try again, or raise timeoutMs.',
  },
};

function interruptedError(failure: InterruptedFailure, facts: GiveUpFacts): VipsqlError {
  const { phase } = failure;
  const { doing, next } = waits[phase];
  const base = common(failure, facts);
  const became = effects[base.outcome];
  if (failure.kind === 'aborted') {
    const cause = facts.abortReason ?? failure.cause;
    return new AbortedError(`The operation was aborted by its signal while ${doing}${on(facts)}. ${became}`, {
      ...base,
      cause,
    });
  }
  const timeoutMs = failure.timeoutMs ?? facts.timeoutMs ?? 0;
  if (phase === 'failover') {
    return new PrimaryUnavailableError(
      `No writable primary answered within ${timeoutMs} ms (${failure.message}). ${became} ${next}`,
      base,
    );
  }
  if (phase === 'two-writers') {
    return new TwoWritersError(
      `Two masters were seen to write, and failover.twoWriters is 'stop': ${failure.message}. The operation waited for ${timeoutMs} ms. ${became} ${next}`,
      base,
    );
  }
  return new TimeoutError(
    `The operation did not end within ${timeoutMs} ms; it was ${doing}${on(facts)} (${failure.message}). ${became} ${next}`,
    { ...base, phase, timeoutMs },
  );
}

const effects: Readonly<Record<Outcome, string>> = {
  'not-executed': 'Nothing was executed.',
  'statement-rolled-back': 'The server undid the statement.',
  'rolled-back': 'Nothing of it was committed.',
  unknown: 'Whether the server finished it is not known.',
};

function common(
  failure: Failure,
  { operation, server, epoch, attempts }: GiveUpFacts,
): ErrorFacts & { outcome: Outcome } {
  return { outcome: finalOutcome(failure, operation), server, epoch, attempts, cause: failure.cause };
}

/** What broke off a transaction before its COMMIT was sent cannot have been committed. */
function finalOutcome({ outcome, kind }: Failure, operation: Operation): Outcome {
  const brokenOff = operation === 'transaction' && outcome === 'unknown' && unansweredKinds.has(kind);
  return brokenOff ? 'rolled-back' : outcome;
}

function serverFacts(failure: Failure, base: ErrorFacts): ServerErrorFacts {
  return { ...base, errno: failure.errno ?? 0, sqlState: failure.sqlState ?? '', reason: failure.reason };
}

function numbers({ reason, errno, sqlState }: Failure): string {
  return [reason, errno, sqlState && `SQLSTATE ${sqlState}`].filter(Boolean).join(' ');
}

function tries({ attempts = 1, why }: GiveUpFacts): string {
  const tried = attempts > 1 ? `vipsql tried ${attempts} times.` : '';
  const spent =
    why === 'budget' ? ' The retry budget is spent: too large a share of all operations fails.' : '';
  return `${tried}${spent}`.trim();
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function on({ server }: GiveUpFacts): string {
  return server === undefined ? '' : ` on ${server}`;
}

function to({ server }: GiveUpFacts): string {
  return server === undefined ? '' : ` to ${server}`;
}

function at({ server }: GiveUpFacts): string {
  return server === undefined ? '' : ` ${server}`;
}
