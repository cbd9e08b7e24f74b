import { describe, expect, test } from 'vitest';
import * as http from '../../src/adapters/http/index.ts';
import * as knex from '../../src/adapters/knex/index.ts';
import * as main from '../../src/index.ts';
import * as sql from '../../src/sql/index.ts';
import * as testing from '../../src/testing/index.ts';

describe('exported names', () => {
  test('of vipsql are these and no others', () => {
    expect(Object.keys(main).sort()).toEqual([
      'AbortedError',
      'CacheInvalidationError',
      'ClosedError',
      'ConfigError',
      'ConnectError',
      'ConnectionLostError',
      'DeadlockError',
      'DuplicateKeyError',
      'ExactlyOnceError',
      'ImplicitCommitError',
      'InDoubtError',
      'InvalidTokenError',
      'LockTimeoutError',
      'NoReplicaError',
      'OutsideTransactionError',
      'ParameterError',
      'PrimaryRequiredError',
      'PrimaryUnavailableError',
      'QueryKilledError',
      'QueueFullError',
      'ReadOnlyServerError',
      'ReplicaReadOnlyError',
      'RowCountError',
      'RowSchemaError',
      'SessionStateError',
      'SqlError',
      'TimeoutError',
      'TransactionClosedError',
      'TwoWritersError',
      'UnsafeEscapingError',
      'UnsafeIntegerError',
      'VipsqlError',
      'createCluster',
      'errorCodes',
      'sql',
    ]);
  });

  test('of vipsql/sql are these and no others', () => {
    expect(Object.keys(sql)).toEqual(['classify']);
  });

  test('of vipsql/http are these and no others', () => {
    expect(Object.keys(http).sort()).toEqual(['sessionListener', 'sessionMiddleware', 'sessionPlugin']);
  });

  test('of vipsql/knex are these and no others', () => {
    expect(Object.keys(knex)).toEqual(['knexClient']);
  });

  test('of vipsql/testing are these and no others', () => {
    expect(Object.keys(testing).sort()).toEqual(['LabError', 'startLab']);
  });
});
