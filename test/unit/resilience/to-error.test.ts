import { describe, expect, it, test } from 'vitest';
import * as errors from '../../../src/errors/errors.ts';
import type { Failure, FailureKind } from '../../../src/resilience/failures.ts';
import { interruptedStatement, interruptedWait } from '../../../src/resilience/interruption.ts';
import type { Operation } from '../../../src/resilience/outcome.ts';
import { type GiveUpFacts, toError } from '../../../src/resilience/to-error.ts';
import { unresolved } from '../../../src/resilience/unresolved.ts';

function failure(kind: FailureKind, over: Partial<Failure> = {}): Failure {
  return {
    kind,
    outcome: 'not-executed',
    message: 'it broke',
    cause: new Error('it broke'),
    connection: 'destroy',
    ...over,
  };
}

function facts(over: Partial<GiveUpFacts> = {}): GiveUpFacts {
  return {
    operation: 'single-write',
    server: '10.0.0.1:3306',
    epoch: 3,
    attempts: 2,
    timeoutMs: 500,
    ...over,
  };
}

describe('the class of the error', () => {
  test.each<readonly [FailureKind, errors.ErrorCode]>([
    ['lost', 'VIPSQL_CONNECTION_LOST'],
    ['driver', 'VIPSQL_CONNECTION_LOST'],
    ['connect', 'VIPSQL_CONNECT'],
    ['access', 'VIPSQL_CONNECT'],
    ['tls', 'VIPSQL_CONNECT'],
    ['overloaded', 'VIPSQL_CONNECT'],
    ['host-blocked', 'VIPSQL_CONNECT'],
    ['offline', 'VIPSQL_CONNECT'],
    ['read-only', 'VIPSQL_READ_ONLY_SERVER'],
    ['replica-read-only', 'VIPSQL_REPLICA_READ_ONLY'],
    ['deadlock', 'VIPSQL_DEADLOCK'],
    ['lock-timeout', 'VIPSQL_LOCK_TIMEOUT'],
    ['killed', 'VIPSQL_QUERY_KILLED'],
    ['duplicate-key', 'VIPSQL_DUPLICATE_KEY'],
    ['transient', 'VIPSQL_SQL'],
    ['commit-failed', 'VIPSQL_SQL'],
    ['sql', 'VIPSQL_SQL'],
  ])('of %s is %s', (kind, code) => {
    const cause = new Error('it broke');
    const error = toError(failure(kind, { cause }), facts());
    expect(error).toMatchObject({
      code,
      outcome: 'not-executed',
      server: '10.0.0.1:3306',
      epoch: 3,
      attempts: 2,
      cause,
    });
    expect(error.message).toContain('it broke');
  });

  it('carries what the server said', () => {
    const error = toError(
      failure('duplicate-key', {
        outcome: 'statement-rolled-back',
        errno: 1062,
        sqlState: '23000',
        reason: 'ER_DUP_ENTRY',
        message: "Duplicate entry '7' for key 'PRIMARY'",
      }),
      facts({ attempts: 1 }),
    );
    expect(error).toBeInstanceOf(errors.DuplicateKeyError);
    expect(error).toMatchObject({ errno: 1062, sqlState: '23000', reason: 'ER_DUP_ENTRY' });
    expect(error.message).toBe(
      "Duplicate entry '7' for key 'PRIMARY' (ER_DUP_ENTRY 1062 SQLSTATE 23000) on 10.0.0.1:3306.",
    );
  });
});

describe('a failure without an answer', () => {
  test.each<readonly [FailureKind, Operation, errors.ErrorCode, errors.Outcome]>([
    ['lost', 'single-write', 'VIPSQL_IN_DOUBT', 'unknown'],
    ['lost', 'commit', 'VIPSQL_IN_DOUBT', 'unknown'],
    ['lost', 'other', 'VIPSQL_IN_DOUBT', 'unknown'],
    ['lost', 'read', 'VIPSQL_CONNECTION_LOST', 'unknown'],
    ['lost', 'transaction', 'VIPSQL_CONNECTION_LOST', 'rolled-back'],
    ['commit-failed', 'commit', 'VIPSQL_IN_DOUBT', 'unknown'],
    ['sql', 'commit', 'VIPSQL_IN_DOUBT', 'unknown'],
    ['sql', 'other', 'VIPSQL_SQL', 'unknown'],
    ['sql', 'transaction', 'VIPSQL_SQL', 'unknown'],
    ['deadlock', 'other', 'VIPSQL_DEADLOCK', 'unknown'],
  ])('(%s) of a %s is %s, %s', (kind, operation, code, outcome) => {
    expect(toError(failure(kind, { outcome: 'unknown' }), facts({ operation }))).toMatchObject({
      code,
      outcome,
    });
  });

  it('says of a write what happened, what vipsql did, and what to do next', () => {
    const error = toError(
      failure('lost', { outcome: 'unknown' }),
      facts({ attempts: 1, couldBeRepeated: true }),
    );
    expect(error.message).toBe(
      'The statement was sent to 10.0.0.1:3306 and may have taken effect: it broke. vipsql did not send it again. ' +
        'Look for its effect before you repeat it, or pass idempotent: true where twice is as good as once.',
    );
  });

  it('stays in doubt whatever a later try ended with, which is its cause', () => {
    const later = new errors.PrimaryUnavailableError('No writable primary answered. Nothing was executed.');
    const error = toError(failure('lost', { outcome: 'unknown' }), facts({ attempts: 2, later }));
    expect(error).toMatchObject({ code: 'VIPSQL_IN_DOUBT', outcome: 'unknown', attempts: 2, cause: later });
    expect(error.message).toBe(
      'The statement was sent to 10.0.0.1:3306 and may have taken effect: it broke. vipsql tried 2 times; at last: ' +
        'No writable primary answered. Nothing was executed. Look for its effect before you repeat it.',
    );
  });
});

describe('a COMMIT that the commit ledger could not resolve', () => {
  const lost = failure('lost', { outcome: 'unknown' });
  const why = 'the new primary has not applied all that it has received';

  it('is in doubt, and says which proof was missing', () => {
    const error = toError(unresolved(lost, 'not-applied', why), facts({ operation: 'commit' }));
    expect(error).toBeInstanceOf(errors.InDoubtError);
    expect(error).toMatchObject({ missingProof: 'not-applied', outcome: 'unknown', epoch: 3 });
    expect(error.message).toBe(
      'The COMMIT was sent to 10.0.0.1:3306 and may have taken effect: it broke. ' +
        'The commit ledger could not resolve it, because the new primary has not applied all that it has received. ' +
        'Look for the rows of the transaction before you repeat it; docs/exactly-once.md says what each missing proof needs.',
    );
  });

  it('without the ledger has no missing proof', () => {
    expect(toError(lost, facts({ operation: 'commit' }))).toMatchObject({ missingProof: undefined });
  });
});

describe('an interrupted operation', () => {
  const lost = failure('lost', { outcome: 'unknown' });

  it('that waited for a connection is a time-out in which nothing was executed', () => {
    const error = toError(
      interruptedWait('timeout', 'connection', 'the pool is busy'),
      facts({ attempts: 1 }),
    );
    expect(error).toBeInstanceOf(errors.TimeoutError);
    expect(error).toMatchObject({ phase: 'connection', timeoutMs: 500, outcome: 'not-executed' });
    expect(error.message).toContain('within 500 ms');
    expect(error.message).toContain('Nothing was executed.');
  });

  it('that waited because of two writers says so, what vipsql did, and what to do next', () => {
    const error = toError(interruptedWait('timeout', 'two-writers', 'b wrote 2-2-7'), facts({ attempts: 1 }));
    expect(error).toBeInstanceOf(errors.TwoWritersError);
    expect(error).toMatchObject({ code: 'VIPSQL_TWO_WRITERS', outcome: 'not-executed' });
    expect(error.message).toBe(
      "Two masters were seen to write, and failover.twoWriters is 'stop': b wrote 2-2-7. The operation waited for " +
        '500 ms. Nothing was executed. Make one master read-only; writes go on 10 s after the last evidence.',
    );
  });

  it('that was killed and rolled back is a time-out with that outcome', () => {
    const killed = failure('killed', { outcome: 'rolled-back', errno: 1317 });
    expect(toError(interruptedStatement('timeout', killed), facts())).toMatchObject({
      code: 'VIPSQL_TIMEOUT',
      phase: 'answer',
      outcome: 'rolled-back',
    });
  });

  it('is in doubt when it was a write without an answer, with the time-out as the cause', () => {
    const error = toError(interruptedStatement('timeout', lost), facts());
    expect(error.code).toBe('VIPSQL_IN_DOUBT');
    expect(error.cause).toMatchObject({ code: 'VIPSQL_TIMEOUT', outcome: 'unknown' });
  });

  it('is a time-out when it was a read', () => {
    expect(toError(interruptedStatement('timeout', lost), facts({ operation: 'read' })).code).toBe(
      'VIPSQL_TIMEOUT',
    );
  });

  it("has the signal's reason as its cause", () => {
    const abortReason = new Error('the client went away');
    const error = toError(interruptedWait('aborted', 'failover', 'no primary'), facts({ abortReason }));
    expect(error).toMatchObject({ code: 'VIPSQL_ABORTED', outcome: 'not-executed', cause: abortReason });
  });
});

it('says why vipsql gave up', () => {
  const message = toError(failure('lost'), facts({ why: 'budget' })).message;
  expect(message).toContain('tried 2 times');
  expect(message).toContain('retry budget is spent');
});
