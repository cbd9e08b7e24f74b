import { describe, expect, it } from 'vitest';
import type { Failure, FailureKind } from '../../../src/resilience/failures.ts';
import { interruptedStatement, interruptedWait } from '../../../src/resilience/interruption.ts';
import { verdictOn } from '../../../src/topology/replica-verdict.ts';

function failure(kind: FailureKind): Failure {
  return { kind, outcome: 'unknown', message: kind, cause: undefined, connection: 'destroy' };
}

describe('verdictOn', () => {
  it.each([
    ['lost', 'trouble'],
    ['connect', 'trouble'],
    ['access', 'trouble'],
    ['tls', 'trouble'],
    ['overloaded', 'trouble'],
    ['host-blocked', 'trouble'],
    ['offline', 'trouble'],
    ['driver', 'trouble'],
    ['sql', 'answered'],
    ['replica-read-only', 'answered'],
    ['read-only', 'answered'],
    ['deadlock', 'answered'],
    ['lock-timeout', 'answered'],
    ['transient', 'answered'],
    ['killed', 'answered'],
    ['duplicate-key', 'answered'],
    ['commit-failed', 'answered'],
  ] as const)('a read that failed with %s: %s', (kind, verdict) => {
    expect(verdictOn(failure(kind))).toBe(verdict);
  });

  it.each([
    ['waiting for the answer at its deadline', interruptedStatement('timeout', failure('killed')), 'late'],
    [
      'waiting for the answer when its signal fired',
      interruptedStatement('aborted', failure('killed')),
      'nothing',
    ],
    ['waiting for a connection at its deadline', interruptedWait('timeout', 'connection', 'full'), 'nothing'],
    [
      'waiting for a connection when its signal fired',
      interruptedWait('aborted', 'connection', 'full'),
      'nothing',
    ],
    ['waiting for rows at its deadline', interruptedWait('timeout', 'rows', 'slow'), 'late'],
  ])('a read that was %s', (_, interrupted, verdict) => {
    expect(verdictOn(interrupted)).toBe(verdict);
  });
});
