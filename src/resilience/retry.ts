import type { Outcome } from '../errors/errors.ts';
import { backoffCeilingMs } from './backoff.ts';
import type { FailureKind } from './failures.ts';
import { isInDoubt, type Operation, passingKinds, repeatTable, serverBoundKinds } from './outcome.ts';

/** Everything the decision depends on. */
export interface RetryQuestion {
  readonly outcome: Outcome;
  readonly kind: FailureKind;
  readonly operation: Operation;
  /** Which server was asked: a read that one replica refuses another may take. */
  readonly role: 'primary' | 'replica';
  /** The caller's word that a second execution does no harm. */
  readonly idempotent: boolean;
  /** The try that has just failed, from 1. */
  readonly attempt: number;
  /** Most tries, the first included. */
  readonly attempts: number;
  /** Time left until the operation's deadline. */
  readonly remainingMs: number;
  /** Back-off before the second try; doubles with each further one. */
  readonly backoffMs: number;
  /** Whether the cluster's retry budget holds one more retry; taken from it only after the answer `retry`. */
  readonly budgetAvailable: boolean;
}

/** Why an operation is not tried again. */
export type GiveUp =
  /** Trying again would end the same. */
  | 'permanent'
  /** It may have taken effect, and the caller did not say that twice is as good as once. */
  | 'not-repeatable'
  | 'attempts'
  | 'deadline'
  | 'budget';

export type RetryDecision =
  /** Wait a random time up to `maxDelayMs` (full jitter), then try again. */
  | { readonly action: 'retry'; readonly maxDelayMs: number }
  /** `inDoubt`: the write may have happened, see {@link isInDoubt}. */
  | { readonly action: 'fail'; readonly inDoubt: boolean; readonly why: GiveUp };

/** Decides by the outcome table whether a failed operation is tried again. Pure. */
export function decideRetry(question: RetryQuestion): RetryDecision {
  const { outcome, kind, operation, role, attempt, attempts, remainingMs, backoffMs } = question;
  const fail = (why: GiveUp): RetryDecision => ({
    action: 'fail',
    inDoubt: isInDoubt(outcome, kind, operation),
    why,
  });
  const isElsewhere = operation === 'read' && role === 'replica';
  const repeat = repeatTable[outcome][operation];
  if (!passingKinds.has(kind) && !(isElsewhere && serverBoundKinds.has(kind))) return fail('permanent');
  if (repeat === 'no' || (repeat === 'if-idempotent' && !question.idempotent)) return fail('not-repeatable');
  if (attempt >= attempts) return fail('attempts');
  if (remainingMs <= 0) return fail('deadline');
  if (!question.budgetAvailable) return fail('budget');
  return { action: 'retry', maxDelayMs: Math.min(backoffCeilingMs(attempt, backoffMs), remainingMs) };
}
