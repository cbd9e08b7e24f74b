import { describe, expectTypeOf, test } from 'vitest';
import {
  type AbortedError,
  type ConfigError,
  type ConfigIssue,
  DeadlockError,
  type DuplicateKeyError,
  type ErrorCode,
  InDoubtError,
  type LockTimeoutError,
  type Outcome,
  type ParameterError,
  type PrimaryRequiredError,
  type QueryKilledError,
  type RowSchemaError,
  type SqlError,
  TimeoutError,
  VipsqlError,
  type WaitPhase,
} from '../../src/index.ts';

declare const caught: unknown;

describe('an error that was caught', () => {
  test('tells code and outcome once it is known to be ours', () => {
    // @ts-expect-error nothing is known of it
    void caught.code;
    if (!(caught instanceof VipsqlError)) return;
    expectTypeOf(caught.code).toEqualTypeOf<ErrorCode>();
    expectTypeOf(caught.outcome).toEqualTypeOf<Outcome | 'executed'>();
    expectTypeOf(caught.epoch).toEqualTypeOf<number | undefined>();
  });

  test('narrows by code within the classes that were asked for', () => {
    const error = caught as TimeoutError | ConfigError | PrimaryRequiredError | RowSchemaError;
    switch (error.code) {
      case 'VIPSQL_TIMEOUT':
        expectTypeOf(error).toEqualTypeOf<TimeoutError>();
        expectTypeOf(error.phase).toEqualTypeOf<WaitPhase>();
        break;
      case 'VIPSQL_CONFIG':
        expectTypeOf(error.issues).toEqualTypeOf<readonly ConfigIssue[]>();
        break;
      case 'VIPSQL_PRIMARY_REQUIRED':
        expectTypeOf(error.table).toEqualTypeOf<string>();
        break;
      default:
        expectTypeOf(error).toEqualTypeOf<RowSchemaError>();
    }
  });

  test('narrows by its class', () => {
    if (caught instanceof TimeoutError) expectTypeOf(caught.timeoutMs).toEqualTypeOf<number>();
    if (caught instanceof InDoubtError) expectTypeOf(caught).toEqualTypeOf<InDoubtError>();
    if (caught instanceof DeadlockError) expectTypeOf(caught.errno).toEqualTypeOf<number>();
  });
});

test('codes are literals, one per class', () => {
  expectTypeOf<AbortedError['code']>().toEqualTypeOf<'VIPSQL_ABORTED'>();
  expectTypeOf<ParameterError['code']>().toEqualTypeOf<'VIPSQL_PARAMETER'>();
  expectTypeOf<DuplicateKeyError['code']>().toEqualTypeOf<'VIPSQL_DUPLICATE_KEY'>();
  expectTypeOf<VipsqlError['code']>().toEqualTypeOf<ErrorCode>();
});

test('errors of the server are SqlErrors with its numbers', () => {
  expectTypeOf<DuplicateKeyError>().toExtend<SqlError>();
  expectTypeOf<LockTimeoutError>().toExtend<SqlError>();
  expectTypeOf<QueryKilledError>().toExtend<SqlError>();
  expectTypeOf<SqlError['sqlState']>().toEqualTypeOf<string>();
  expectTypeOf<InDoubtError>().not.toExtend<SqlError>();
});

test('facts of an error cannot be changed', () => {
  const error = caught as TimeoutError;
  // @ts-expect-error read-only
  error.outcome = 'unknown';
  // @ts-expect-error read-only
  error.phase = 'rows';
});
