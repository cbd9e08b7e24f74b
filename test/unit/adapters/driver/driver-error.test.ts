import { describe, expect, test } from 'vitest';
import { toDriverError } from '../../../../src/adapters/driver/driver-error.ts';
import { DuplicateKeyError, InDoubtError, TimeoutError } from '../../../../src/index.ts';

const driverError = Object.assign(new Error("Duplicate entry '1'"), {
  code: 'ER_DUP_ENTRY',
  errno: 1062,
  sqlState: '23000',
  sqlMessage: "Duplicate entry '1'",
});

describe('toDriverError', () => {
  test('gives the words and numbers of the server, and vipsql in the cause', () => {
    const cause = new DuplicateKeyError('Duplicate (1062)', {
      errno: 1062,
      sqlState: '23000',
      cause: driverError,
    });
    const error = toDriverError(cause, 'INSERT') as Error;
    const { code, errno, sqlState, sqlMessage, message } = driverError;
    expect(error).toMatchObject({ name: 'Error', message, code, errno, sqlState, sqlMessage, sql: 'INSERT' });
    expect(error.cause).toBe(cause);
    expect(error).not.toBe(driverError);
  });

  test('says of a lost answer what vipsql knows of it, with the code of the driver', () => {
    const lost = Object.assign(new Error('gone'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true });
    const error = toDriverError(new InDoubtError('It may have happened.', { cause: lost }), undefined);
    expect(error).toMatchObject({
      message: 'It may have happened.',
      code: 'PROTOCOL_CONNECTION_LOST',
      fatal: true,
    });
    expect(error).not.toHaveProperty('sql');
  });

  test("has vipsql's own code where there is no error of a driver", () => {
    const error = toDriverError(new TimeoutError('late', { phase: 'answer', timeoutMs: 5 }), 'SELECT 1');
    expect(error).toMatchObject({ code: 'VIPSQL_TIMEOUT', message: 'late' });
  });

  test('leaves other errors alone', () => {
    const error = new Error('of the application');
    expect(toDriverError(error, 'SELECT 1')).toBe(error);
  });
});
