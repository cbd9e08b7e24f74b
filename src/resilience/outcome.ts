import type { Outcome } from '../errors/errors.ts';
import type { FailureKind } from './failures.ts';

/** What failed, seen by the one who may repeat it. A stream after its first row and a DDL statement are `other`. */
export type Operation = 'read' | 'single-write' | 'transaction' | 'commit' | 'other';

/** What the outcome of an operation allows: `if-idempotent` needs the caller's word. */
export type Repeat = 'yes' | 'if-idempotent' | 'no';

/**
 * The table of outcomes: may this operation be done again? For `transaction` and `commit` that is the whole closure.
 * `other` may be anything, so only what provably never ran is repeated without the caller's word.
 */
export const repeatTable: Readonly<Record<Outcome, Readonly<Record<Operation, Repeat>>>> = Object.freeze({
  'not-executed': Object.freeze({
    read: 'yes',
    'single-write': 'yes',
    transaction: 'yes',
    commit: 'yes',
    other: 'yes',
  }),
  'rolled-back': Object.freeze({
    read: 'yes',
    'single-write': 'yes',
    transaction: 'yes',
    commit: 'yes',
    other: 'if-idempotent',
  }),
  'statement-rolled-back': Object.freeze({
    read: 'yes',
    'single-write': 'yes',
    transaction: 'yes',
    commit: 'no',
    other: 'if-idempotent',
  }),
  unknown: Object.freeze({
    read: 'yes',
    'single-write': 'if-idempotent',
    transaction: 'yes',
    commit: 'no',
    other: 'if-idempotent',
  }),
});

/** Failures that another try, here or on another server, may get past. */
export const passingKinds: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'lost',
  'connect',
  'overloaded',
  'host-blocked',
  'offline',
  'read-only',
  'deadlock',
  'lock-timeout',
  'transient',
  'commit-failed',
]);

/** Failures of one server's own set-up: another server may do, the same one will not. */
export const serverBoundKinds: ReadonlySet<FailureKind> = new Set<FailureKind>(['access', 'tls']);

/** Failures in which the server did not say what became of the statement. */
export const unansweredKinds: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'lost',
  'driver',
  'timeout',
  'aborted',
  'commit-failed',
]);

/**
 * Whether a write may have happened without anyone having said so. Reads change nothing; in a transaction whose COMMIT
 * was not sent nothing can have been committed; a procedure that answers with an error has an `unknown` outcome, but
 * its answer is what the caller needs to see.
 */
export function isInDoubt(outcome: Outcome, kind: FailureKind, operation: Operation): boolean {
  if (outcome !== 'unknown' || operation === 'read' || operation === 'transaction') return false;
  return operation === 'commit' || unansweredKinds.has(kind);
}
