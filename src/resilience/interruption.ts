import type { WaitPhase } from '../errors/errors.ts';
import type { Deadline, Interruption } from './deadline.ts';
import { Failed } from './failed.ts';
import type { Failure } from './failures.ts';

/** A failure whose cause is the operation's own deadline or signal. */
export interface InterruptedFailure extends Failure {
  readonly kind: 'timeout' | 'aborted';
  readonly phase: WaitPhase;
  /** The time that was given, where that was not the operation's. */
  readonly timeoutMs?: number;
}

/** The deadline or signal ended a statement of which `failure` tells what is known. */
export function interruptedStatement(
  interruption: Interruption,
  failure: Failure,
  timeoutMs?: number,
): InterruptedFailure {
  return {
    ...failure,
    kind: interruption,
    phase: 'answer',
    connection: 'destroy',
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** The deadline or signal ended a wait before anything was sent. */
export function interruptedWait(
  interruption: Interruption,
  phase: WaitPhase,
  message: string,
): InterruptedFailure {
  return {
    kind: interruption,
    phase,
    outcome: 'not-executed',
    message,
    cause: undefined,
    connection: 'keep',
  };
}

/** Throws {@link Failed} when a transaction has been open for too long: nothing more is sent in it, and not COMMIT. */
export function refuseWhenLate(deadline: Deadline): void {
  const interruption = deadline.interruption();
  if (interruption !== undefined) throw new Failed(interruptedTransaction(interruption));
}

/** The deadline or signal ends a transaction between two statements. */
export function interruptedTransaction(interruption: Interruption): InterruptedFailure {
  return { ...interruptedWait(interruption, 'closure', 'it was still open'), outcome: 'rolled-back' };
}

export function isInterrupted(failure: Failure): failure is InterruptedFailure {
  return failure.kind === 'timeout' || failure.kind === 'aborted';
}
