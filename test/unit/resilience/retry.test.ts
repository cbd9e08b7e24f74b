import { describe, expect, it, test } from 'vitest';
import type { Outcome } from '../../../src/errors/errors.ts';
import type { FailureKind } from '../../../src/resilience/failures.ts';
import type { Operation } from '../../../src/resilience/outcome.ts';
import { decideRetry, type RetryQuestion } from '../../../src/resilience/retry.ts';

function ask(over: Partial<RetryQuestion>): ReturnType<typeof decideRetry> {
  return decideRetry({
    outcome: 'not-executed',
    kind: 'lost',
    operation: 'read',
    idempotent: false,
    role: 'replica',
    attempt: 1,
    attempts: 3,
    remainingMs: 5_000,
    backoffMs: 20,
    budgetAvailable: true,
    ...over,
  });
}

function short(decision: ReturnType<typeof decideRetry>): string {
  if (decision.action === 'retry') return 'retry';
  return decision.inDoubt ? 'in doubt' : decision.why;
}

describe('the outcome table', () => {
  type Cell = readonly [Outcome, FailureKind, Operation, plain: string, idempotent: string];
  test.each<Cell>([
    ['not-executed', 'lost', 'read', 'retry', 'retry'],
    ['not-executed', 'lost', 'single-write', 'retry', 'retry'],
    ['not-executed', 'lost', 'transaction', 'retry', 'retry'],
    ['not-executed', 'lost', 'commit', 'retry', 'retry'],
    ['not-executed', 'lost', 'other', 'retry', 'retry'],
    ['rolled-back', 'deadlock', 'read', 'retry', 'retry'],
    ['rolled-back', 'deadlock', 'single-write', 'retry', 'retry'],
    ['rolled-back', 'deadlock', 'transaction', 'retry', 'retry'],
    ['rolled-back', 'read-only', 'commit', 'retry', 'retry'],
    ['rolled-back', 'deadlock', 'other', 'not-repeatable', 'retry'],
    ['statement-rolled-back', 'lock-timeout', 'read', 'retry', 'retry'],
    ['statement-rolled-back', 'lock-timeout', 'single-write', 'retry', 'retry'],
    ['statement-rolled-back', 'lock-timeout', 'transaction', 'retry', 'retry'],
    ['statement-rolled-back', 'lock-timeout', 'commit', 'not-repeatable', 'not-repeatable'],
    ['statement-rolled-back', 'lock-timeout', 'other', 'not-repeatable', 'retry'],
    ['unknown', 'lost', 'read', 'retry', 'retry'],
    ['unknown', 'lost', 'single-write', 'in doubt', 'retry'],
    ['unknown', 'lost', 'transaction', 'retry', 'retry'],
    ['unknown', 'lost', 'commit', 'in doubt', 'in doubt'],
    ['unknown', 'lost', 'other', 'in doubt', 'retry'],
  ])('%s (%s) of a %s: %s, if idempotent %s', (outcome, kind, operation, plain, idempotent) => {
    expect(short(ask({ outcome, kind, operation }))).toBe(plain);
    expect(short(ask({ outcome, kind, operation, idempotent: true }))).toBe(idempotent);
  });
});

describe('the kind of failure', () => {
  test.each<readonly [FailureKind, Outcome, string]>([
    ['lost', 'not-executed', 'retry'],
    ['connect', 'not-executed', 'retry'],
    ['overloaded', 'not-executed', 'retry'],
    ['host-blocked', 'not-executed', 'retry'],
    ['offline', 'not-executed', 'retry'],
    ['read-only', 'not-executed', 'retry'],
    ['deadlock', 'rolled-back', 'retry'],
    ['lock-timeout', 'statement-rolled-back', 'retry'],
    ['transient', 'statement-rolled-back', 'retry'],
    ['access', 'not-executed', 'permanent'],
    ['tls', 'not-executed', 'permanent'],
    ['replica-read-only', 'not-executed', 'permanent'],
    ['killed', 'rolled-back', 'permanent'],
    ['duplicate-key', 'statement-rolled-back', 'permanent'],
    ['sql', 'statement-rolled-back', 'permanent'],
    ['driver', 'not-executed', 'permanent'],
    ['timeout', 'not-executed', 'permanent'],
    ['aborted', 'not-executed', 'permanent'],
    ['timeout', 'unknown', 'in doubt'],
    ['aborted', 'unknown', 'in doubt'],
    ['driver', 'unknown', 'in doubt'],
    ['commit-failed', 'unknown', 'in doubt'],
  ])('%s (%s) of a single write: %s', (kind, outcome, expected) => {
    expect(short(ask({ kind, outcome, operation: 'single-write' }))).toBe(expected);
  });

  it.each(['access', 'tls'] as const)('lets a read go to another server after %s', (kind) => {
    expect(short(ask({ kind }))).toBe('retry');
  });

  it('does not call the error that a procedure answered with in doubt', () => {
    expect(ask({ kind: 'sql', outcome: 'unknown', operation: 'other' })).toEqual({
      action: 'fail',
      inDoubt: false,
      why: 'permanent',
    });
  });

  it('calls a COMMIT that was answered with an error in doubt', () => {
    expect(ask({ kind: 'sql', outcome: 'unknown', operation: 'commit' })).toMatchObject({ inDoubt: true });
  });
});

describe('limits', () => {
  it('ends with the last attempt', () => {
    expect(short(ask({ attempt: 2 }))).toBe('retry');
    expect(short(ask({ attempt: 3 }))).toBe('attempts');
    expect(short(ask({ attempts: 1 }))).toBe('attempts');
  });

  it('ends at the deadline', () => {
    expect(short(ask({ remainingMs: 0 }))).toBe('deadline');
  });

  it('ends when the budget is spent', () => {
    expect(short(ask({ budgetAvailable: false }))).toBe('budget');
  });

  it('stays in doubt when an idempotent write has used up its attempts', () => {
    const question = { outcome: 'unknown', operation: 'single-write', idempotent: true, attempt: 3 } as const;
    expect(ask(question)).toEqual({ action: 'fail', inDoubt: true, why: 'attempts' });
  });

  it('doubles the back-off and never waits beyond the deadline', () => {
    expect(ask({ attempt: 1 })).toEqual({ action: 'retry', maxDelayMs: 20 });
    expect(ask({ attempt: 2 })).toEqual({ action: 'retry', maxDelayMs: 40 });
    expect(ask({ attempt: 2, remainingMs: 7 })).toEqual({ action: 'retry', maxDelayMs: 7 });
  });
});
