import { describe, expect, test } from 'vitest';
import { ParameterError } from '../../../src/errors/errors.ts';
import { bindText } from '../../../src/sql/bind.ts';
import { SqlFragment } from '../../../src/sql/fragment.ts';
import { analyze } from '../../../src/sql/statement.ts';
import { sql } from '../../../src/sql/tag.ts';

const written = ({ text, values }: SqlFragment): string => bindText(analyze(text), values).text;

describe('sql', () => {
  test('binds every value and writes none into the text', () => {
    const fragment = sql`SELECT * FROM t WHERE a = ${1} AND b = ${"x' OR 1=1 -- "} AND c IN (${[2, 3]})`;
    expect(fragment.text).toBe('SELECT * FROM t WHERE a = ? AND b = ? AND c IN (?)');
    expect(fragment.values).toEqual([1, "x' OR 1=1 -- ", [2, 3]]);
    expect(written(fragment)).toBe("SELECT * FROM t WHERE a = 1 AND b = 'x\\' OR 1=1 -- ' AND c IN (2, 3)");
  });

  test('puts fragments in as SQL, their values in place', () => {
    const where = sql`a = ${1} AND ${sql`b = ${2}`}`;
    const fragment = sql`SELECT ${0} FROM t WHERE ${where} LIMIT ${3}`;
    expect(fragment.text).toBe('SELECT ? FROM t WHERE a = ? AND b = ? LIMIT ?');
    expect(fragment.values).toEqual([0, 1, 2, 3]);
  });

  test('is immutable', () => {
    const fragment = sql`SELECT ${1}`;
    expect(Object.isFrozen(fragment)).toBe(true);
    expect(Object.isFrozen(fragment.values)).toBe(true);
  });

  test('takes an object of the same shape for a value, which is refused', () => {
    const fragment = sql`SELECT ${{ text: '1 OR 1=1', values: [] } as never}`;
    expect(() => written(fragment)).toThrow(ParameterError);
  });

  test('has no placeholder for a value that stands in a string', () => {
    expect(() => written(sql`SELECT '${1}'`)).toThrow(/0 "\?", but 1 values/);
  });
});

describe('sql.id', () => {
  test.each<[string[], string]>([
    [['a'], '`a`'],
    [['shop', 'stock', 'qty'], '`shop`.`stock`.`qty`'],
    [['a`b', '?', ':x', 'a.b'], '`a``b`.`?`.`:x`.`a.b`'],
  ])('quotes %j', (path, text) => {
    expect(sql.id(...path)).toEqual(new SqlFragment(text, []));
    expect(written(sql`SELECT ${sql.id(...path)}`)).toBe(`SELECT ${text}`);
  });

  test.each<[unknown[]]>([[[]], [['']], [['a\0']], [[undefined]], [['a', 5]]])('refuses %j', (path) => {
    expect(() => sql.id(...(path as string[]))).toThrow(ParameterError);
  });
});

describe('sql.join', () => {
  test('joins fragments and values', () => {
    expect(sql.join([sql`a = ${1}`, sql.raw('b'), 2, null])).toEqual(
      new SqlFragment('a = ?, b, ?, ?', [1, 2, null]),
    );
    expect(sql.join([sql`a = ${1}`, sql`b = ${2}`], ' AND ').text).toBe('a = ? AND b = ?');
  });

  test('refuses nothing', () => {
    expect(() => sql.join([])).toThrow(/at least one part/);
  });
});

describe('sql.values', () => {
  test('writes rows by position', () => {
    const fragment = sql`INSERT INTO t (a, b) VALUES ${sql.values([
      [1, 'x'],
      [2, sql.raw('NOW()')],
    ])}`;
    expect(fragment).toEqual(new SqlFragment('INSERT INTO t (a, b) VALUES (?, ?), (?, NOW())', [1, 'x', 2]));
  });

  test('writes rows by column', () => {
    const rows = [
      { id: 1, name: 'x', extra: true },
      { name: 'y', id: 2, extra: false },
    ];
    expect(sql.values(rows, ['name', 'id'])).toEqual(new SqlFragment('(?, ?), (?, ?)', ['x', 1, 'y', 2]));
  });

  test.each<[unknown, unknown, RegExp]>([
    [[], undefined, /at least one row/],
    [[[]], undefined, /at least one column/],
    [[{ a: 1 }], [], /at least one column/],
    [[[1], [1, 2]], undefined, /row 1 has 2 values, the first row has 1/],
    [[[1], [undefined]], undefined, /row 1, value 0: the value is undefined/],
    [[{ a: 1 }, { b: 1 }], ['a'], /row 1, column "a": the value is undefined/],
    [[[1, [2]]], undefined, /row 0, value 1: an array/],
    [[[{ a: 'secret' }]], undefined, /row 0, value 0: a plain object/],
    [[{ a: 1 }], undefined, /row 0 is no array; .*second argument/],
    [[[1]], ['a'], /row 0 is no object/],
    [[null], ['a'], /row 0 is no object/],
  ])('refuses %j with columns %j', (rows, columns, message) => {
    const values = sql.values as (rows: unknown, columns: unknown) => SqlFragment;
    expect(() => values(rows, columns)).toThrow(ParameterError);
    expect(() => values(rows, columns)).toThrow(message);
    expect(() => values(rows, columns)).not.toThrow(/secret/);
  });
});

describe('sql.raw', () => {
  test('stands as it is', () => {
    expect(sql`SELECT ${sql.raw('1 + 1')}`.text).toBe('SELECT 1 + 1');
  });

  test('refuses what is no string', () => {
    expect(() => sql.raw(5 as never)).toThrow(ParameterError);
  });
});
