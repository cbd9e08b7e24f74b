import { describe, expect, test } from 'vitest';
import { callOf, driverQuery } from '../../../../src/adapters/driver/driver-query.ts';

const driver = { timezone: 'Z' };

describe('driverQuery', () => {
  test('puts together what the methods of mysql2 are called with', () => {
    expect(driverQuery('SELECT ?', 1, { prepare: false })).toEqual({
      sql: 'SELECT ?',
      values: [1],
      options: undefined,
      prepare: false,
      timeoutMs: undefined,
      signal: undefined,
    });
    expect(
      driverQuery({ sql: 'SELECT ?', values: [1], nestTables: true }, undefined, { prepare: true }),
    ).toEqual({
      sql: 'SELECT ?',
      values: [1],
      options: { nestTables: true },
      prepare: true,
      timeoutMs: undefined,
      signal: undefined,
    });
    const { signal } = new AbortController();
    expect(driverQuery({ sql: 'SELECT 1', timeout: 50, signal }, null, { prepare: false })).toMatchObject({
      values: undefined,
      timeoutMs: 50,
      signal,
    });
  });

  test('looks values up by the names of their placeholders where it is told to', () => {
    const named = { prepare: false, namedPlaceholders: true };
    expect(driverQuery("SELECT :b, ':a', :a, :b", { a: 1, b: 2 }, named)).toMatchObject({
      sql: "SELECT ?, ':a', ?, ?",
      values: [2, 1, 2],
    });
    const asked = { sql: 'SELECT :a', namedPlaceholders: true };
    expect(driverQuery(asked, { a: 1 }, { prepare: true })).toMatchObject({ values: [1] });
    expect(driverQuery('UPDATE t SET ?', { a: 1 }, named)).toMatchObject({ values: [{ a: 1 }] });
    expect(driverQuery('SELECT ?', [1], named)).toMatchObject({ sql: 'SELECT ?', values: [1] });
  });
});

describe('callOf', () => {
  const call = (sql: string, values?: unknown, prepare = false) =>
    callOf(driverQuery(sql, values, { prepare }), driver);

  test('writes values as mysql2 does, and says whether the text depends on how strings are escaped', () => {
    const date = new Date('2026-02-28T10:00:00Z');
    const { command } = call('SELECT ?, ?, ?', ["it's", date, [1, null]]);
    expect(command.text).toBe("SELECT 'it\\'s', '2026-02-28 10:00:00.000', 1, NULL");
    expect(command.escapesText).toBe(true);
    expect(call('SELECT ?, ?, ?', [1, null, true]).command.escapesText).toBe(false);
    expect(call("SELECT 'a?'").command.text).toBe("SELECT 'a?'");
  });

  test('knows the statement by its text without values', () => {
    expect(call('INSERT INTO t VALUES (?)', ['a']).command.statement).toBe('single-write');
    expect(call('SELECT ?', ['a']).statement.demand).toBeUndefined();
    expect(call('COMMIT;').command.phase).toBe('commit');
    expect(call('BEGIN;').statement.transactionControl).toBe('begin');
  });

  test('looks at the SQL that is written in place of a value', () => {
    const sleep = { toSqlString: () => "GET_LOCK('a', 1)" };
    expect(call('SELECT ?', [sleep]).statement.demand).toBeDefined();
    expect(call('SELECT ?', [[sleep]]).statement.demand).toBeDefined();
  });

  test('leaves the values of a prepared statement to the server', () => {
    expect(call('SELECT ?', ['a'], true).command).toMatchObject({
      text: 'SELECT ?',
      values: ['a'],
      escapesText: false,
    });
  });
});
