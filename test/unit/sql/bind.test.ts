import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ParameterError } from '../../../src/errors/errors.ts';
import { bindPrepared, bindText, toBindable } from '../../../src/sql/bind.ts';
import { tokenize } from '../../../src/sql/lexer.ts';
import { analyze } from '../../../src/sql/statement.ts';
import { sql } from '../../../src/sql/tag.ts';
import type { SqlParams } from '../../../src/sql/value.ts';

const text = (statement: string, params?: unknown): string =>
  bindText(analyze(statement), params as SqlParams).text;
const prepared = (statement: string, params?: unknown): { text: string; values: unknown[] } => {
  const bound = bindPrepared(analyze(statement), params as SqlParams);
  return { text: bound.text.replace(/ \/\*[a-z]+\*\/$/, ''), values: bound.values.map(readable) };
};

/** The comment that tells statements apart by the kinds of their values. */
const kinds = (values: unknown[]): string => {
  const statement = `SELECT ${values.map(() => '?').join(', ')}`;
  return bindPrepared(analyze(statement), values as SqlParams).text.slice(statement.length);
};

/** mysql2's typed parameters as `BIGINT 5`. */
function readable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('value' in value)) return value;
  const { type, value: inner, unsigned } = value as { type: number; value: unknown; unsigned?: boolean };
  const name = type === 8 ? 'BIGINT' : type === 246 ? 'DECIMAL' : `type ${type}`;
  return `${name}${unsigned === true ? ' UNSIGNED' : ''} ${inner}`;
}

const date = new Date('2024-02-29T12:34:56.789Z');

describe('values', () => {
  test.each<[unknown, string, unknown]>([
    [null, 'NULL', null],
    [true, '1', true],
    [false, '0', false],
    [0, '0', 'BIGINT 0'],
    [-0, '0', 'BIGINT 0'],
    [-5, '-5', 'BIGINT -5'],
    [2 ** 53 - 1, '9007199254740991', 'BIGINT 9007199254740991'],
    [2 ** 60, '1152921504606846976', 'BIGINT 1152921504606846976'],
    [2 ** 63, '9223372036854775808', 'BIGINT UNSIGNED 9223372036854775808'],
    [1e20, '100000000000000000000', 'DECIMAL 100000000000000000000'],
    [1.5, '1.5', 'DECIMAL 1.5'],
    [-0.1, '-0.1', 'DECIMAL -0.1'],
    [1e21, '1e+21', 1e21],
    [1e-7, '1e-7', 1e-7],
    [5n, '5', 'BIGINT 5'],
    [2n ** 63n - 1n, '9223372036854775807', 'BIGINT 9223372036854775807'],
    [-(2n ** 63n), '-9223372036854775808', 'BIGINT -9223372036854775808'],
    [2n ** 64n - 1n, '18446744073709551615', 'BIGINT UNSIGNED 18446744073709551615'],
    [2n ** 64n, '18446744073709551616', 'DECIMAL 18446744073709551616'],
    [-(2n ** 63n) - 1n, '-9223372036854775809', 'DECIMAL -9223372036854775809'],
    ['', "''", ''],
    ['abc', "'abc'", 'abc'],
    [`it's a "\\" \0\n\x1a%_`, `'it\\'s a "\\\\" \0\n\x1a%_'`, `it's a "\\" \0\n\x1a%_`],
    ['1 OR 1=1', "'1 OR 1=1'", '1 OR 1=1'],
    ["'; DROP TABLE t; -- ", "'\\'; DROP TABLE t; -- '", "'; DROP TABLE t; -- "],
    ['? :a', "'? :a'", '? :a'],
    ['$& $1', "'$& $1'", '$& $1'],
    ['日本 🎉', "'日本 🎉'", '日本 🎉'],
    [date, "'2024-02-29 12:34:56.789'", '2024-02-29 12:34:56.789'],
    [new Date('0001-01-01T00:00:00Z'), "'0001-01-01 00:00:00.000'", '0001-01-01 00:00:00.000'],
    [Buffer.from([0, 0x27, 0x5c, 0xff]), "X'00275cff'", Buffer.from([0, 0x27, 0x5c, 0xff])],
    [new Uint8Array([1, 2]), "X'0102'", Buffer.from([1, 2])],
    [new Uint8Array([9, 1, 2, 9]).subarray(1, 3), "X'0102'", Buffer.from([1, 2])],
    [Buffer.alloc(0), "X''", Buffer.alloc(0)],
  ])('binds %o', (value, literal, sent) => {
    expect(text('SELECT ?', [value])).toBe(`SELECT ${literal}`);
    expect(text('SELECT :v', { v: value })).toBe(`SELECT ${literal}`);
    expect(prepared('SELECT ?', [value])).toEqual({ text: 'SELECT ?', values: [sent] });
    expect(prepared('SELECT :v', { v: value })).toEqual({ text: 'SELECT ?', values: [sent] });
  });

  test.each<[string, unknown]>([
    ['2024-02-29 14:34:56.789', '+02:00'],
    ['2024-02-29 04:04:56.789', '-08:30'],
  ])('writes a Date as %s in the time zone %s', (expected, timezone) => {
    expect(bindText(analyze('SELECT ?'), [date], timezone as string).text).toBe(`SELECT '${expected}'`);
    expect(bindPrepared(analyze('SELECT ?'), [date], timezone as string).values).toEqual([expected]);
  });

  const secret = 'hunter2';
  class Point {
    x = secret;
  }
  test.each<[unknown, RegExp]>([
    [undefined, /undefined; say null/],
    [{ a: secret }, /plain object.*JSON\.stringify/],
    [Object.create(null), /plain object/],
    [new Point(), /an object \(Point\)/],
    [new Map([[secret, 1]]), /an object \(Map\)/],
    [{ text: secret, values: [] }, /plain object/],
    [[secret], /array can only stand in IN \(\?\)/],
    [Number.NaN, /NaN is not a number/],
    [Number.POSITIVE_INFINITY, /Infinity is not a number/],
    [new Date(Number.NaN), /invalid Date/],
    [new Date(8.64e15), /Date of the year 275760/],
    [new Date(-62198755200000), /Date of the year -1/],
    [() => secret, /a function is no SQL value/],
    [Symbol(secret), /a symbol is no SQL value/],
  ])('refuses %o and names the placeholder, not the value', (value, message) => {
    for (const bind of [bindText, bindPrepared]) {
      const positional = fails(() => bind(analyze('SELECT ?, ?'), [1, value] as SqlParams));
      expect(positional.message).toMatch(message);
      expect(positional.message).toMatch(/placeholder 2 \("\?", params\[1\]\)/);
      expect(positional.message).not.toContain(secret);
      expect(positional.parameter).toBe(1);
      const named = fails(() => bind(analyze('SELECT :a, :b'), { a: 1, b: value } as SqlParams));
      expect(named.message).toMatch(/placeholder ":b"/);
      expect(named.parameter).toBe('b');
    }
  });
});

describe('a prepared statement', () => {
  test.each<[unknown[], string]>([
    [[], ''],
    [['a', null, date], ''],
    [[1, 'a'], ' /*is*/'],
    [['a', 5n, true, 1.5, 1e-7, Buffer.alloc(1), null], ' /*siidfbs*/'],
  ])('is another one for values of other kinds: %o', (values, expected) => {
    expect(kinds(values)).toBe(expected);
  });
});

describe('placeholders and values that do not fit each other', () => {
  test.each<[string, unknown, RegExp]>([
    ['SELECT ?', undefined, /1 "\?", so its values must be an array/],
    ['SELECT ?', [], /1 "\?", but 0 values/],
    ['SELECT ?', [1, 2], /1 "\?", but 2 values/],
    ['SELECT ?', { a: 1 }, /must be an array/],
    ['SELECT ?', null, /must be an array/],
    ['SELECT ?', 'abc', /must be an array/],
    ['SELECT 1', [1], /0 "\?", but 1 values/],
    ['SELECT 1', { a: 1 }, /no placeholder/],
    ['SELECT 1', 5, /no placeholder/],
    ["SELECT '?'", [1], /0 "\?"/],
    ['SELECT :a', undefined, /must be an object/],
    ['SELECT :a', [1], /must be an object/],
    ['SELECT :a', {}, /placeholder ":a": no value of this name/],
    ['SELECT :a', { a: 1, b: 2 }, /placeholder ":b": the statement has no placeholder of this name/],
    ['SELECT :toString', {}, /":toString": no value/],
    ['SELECT :__proto__', {}, /":__proto__": no value/],
    ['SELECT ?, :a', [1], /"\?" and ":a" cannot be used in one statement/],
    ['SELECT * FROM ?? WHERE a = 1', ['t', 1], /sql\.id/],
    ['SELECT 1 /*!99999 WHERE a = ? */', ['*/ OR 1=1 -- '], /executable comment/],
    ['SELECT 1 /*M! :a */', { a: 1 }, /executable comment/],
  ])('are refused: %j with %j', (statement, params, message) => {
    for (const bind of [bindText, bindPrepared]) {
      expect(fails(() => bind(analyze(statement), params as SqlParams)).message).toMatch(message);
    }
  });

  test.each<[string, unknown]>([
    ['SELECT 1', undefined],
    ['SELECT 1', []],
    ['SELECT 1', {}],
  ])('are not refused: %j with %j', (statement, params) => {
    expect(text(statement, params)).toBe(statement);
    expect(prepared(statement, params)).toEqual({ text: statement, values: [] });
  });
});

describe('named placeholders', () => {
  test('are filled wherever they occur, and nowhere else', () => {
    const statement = "SELECT :a, ':a', :b -- :a\nFROM t WHERE x=:a";
    expect(text(statement, { a: 1, b: 'x' })).toBe("SELECT 1, ':a', 'x' -- :a\nFROM t WHERE x=1");
    expect(prepared(statement, { b: 'x', a: 1 })).toEqual({
      text: "SELECT ?, ':a', ? -- :a\nFROM t WHERE x=?",
      values: ['BIGINT 1', 'x', 'BIGINT 1'],
    });
  });
});

describe('arrays', () => {
  test.each<[string, unknown, string, string, unknown[]]>([
    [
      'SELECT a FROM t WHERE a IN (?)',
      [[1, 'x', null]],
      "SELECT a FROM t WHERE a IN (1, 'x', NULL)",
      'SELECT a FROM t WHERE a IN (?,?,?)',
      ['BIGINT 1', 'x', null],
    ],
    [
      'a NOT IN ( ? ) AND b = ?',
      [[1, 2], 3],
      'a NOT IN ( 1, 2 ) AND b = 3',
      'a NOT IN ( ?,? ) AND b = ?',
      ['BIGINT 1', 'BIGINT 2', 'BIGINT 3'],
    ],
    [
      'a in (/* ids */ :ids) OR b IN (:ids)',
      { ids: [1n] },
      'a in (/* ids */ 1) OR b IN (1)',
      'a in (/* ids */ ?) OR b IN (?)',
      ['BIGINT 1', 'BIGINT 1'],
    ],
    ['a IN (?)', [5], 'a IN (5)', 'a IN (?)', ['BIGINT 5']],
  ])('expand in IN: %j', (statement, params, written, toPrepare, values) => {
    expect(text(statement, params)).toBe(written);
    expect(prepared(statement, params)).toEqual({ text: toPrepare, values });
  });

  test.each<[string, unknown, RegExp]>([
    ['a IN (?)', [[]], /empty/],
    ['a IN (?, ?)', [[1], 2], /placeholder 1 .*only stand in IN/],
    ['a = ?', [[1]], /only stand in IN/],
    ['f(?)', [[1]], /only stand in IN/],
    ['VALUES (?)', [[1]], /only stand in IN/],
    ['a IN (?)', [[[1, 2]]], /only stand in IN/],
    ['a IN (?)', [[1, undefined]], /undefined/],
  ])('are refused elsewhere, empty or nested: %j with %j', (statement, params, message) => {
    for (const bind of [bindText, bindPrepared]) {
      expect(fails(() => bind(analyze(statement), params as SqlParams)).message).toMatch(message);
    }
  });
});

describe('hasStringOrBuffer', () => {
  test.each<[unknown, boolean]>([
    ['a', true],
    [Buffer.from('a'), true],
    [new Uint8Array(1), true],
    [[1, 'a'], true],
    [[1, 2n], false],
    [1, false],
    [1n, false],
    [null, false],
    [true, false],
    [date, false],
  ])('tells of %o that it is %j', (value, expected) => {
    expect(bindText(analyze('a IN (?)'), [value] as SqlParams).hasStringOrBuffer).toBe(expected);
  });
});

describe('a value', () => {
  test.each<[string, unknown, string]>([
    ['SELECT ?AND 1', [5], 'SELECT 5 AND 1'],
    ["SELECT 'a'?", ['b'], "SELECT 'a' 'b'"],
    ['SELECT x?', [1], 'SELECT x 1'],
    ['SELECT X?', ['41'], "SELECT X '41'"],
    ['SELECT ?`a`', [1], 'SELECT 1 `a`'],
    ['SELECT -?', [-5], 'SELECT --5'],
  ])('does not fuse with what stands beside it: %j', (statement, params, written) => {
    expect(text(statement, params)).toBe(written);
  });

  test('stays one token, whatever it is and wherever it stands', () => {
    const places = fc.constantFrom(
      'SELECT ?',
      'SELECT \'a\'?,"b"',
      'a=?AND b',
      '(?)',
      '-?',
      '/?*',
      '?-- c',
      'x.?',
      '#\n?',
      '/**/?/**/',
    );
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom("'", '\\', '"', '`', '*/', '-- ', '\0', ';'), { maxLength: 8 })
        .map((list) => list.join('')),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(Math.abs),
      fc.uint8Array(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
    );
    const kindsOf = (statement: string): string[] =>
      tokenize(statement)
        .filter(({ kind }) => kind !== 'comment')
        .map(({ kind }) => kind);
    fc.assert(
      fc.property(places, values, (place, value) => {
        const literal =
          value instanceof Uint8Array ? 'word string' : typeof value === 'number' ? 'number' : 'string';
        const expected = kindsOf(place).map((kind) => (kind === 'positional' ? literal : kind));
        return kindsOf(text(place, [value])).join(' ') === expected.join(' ');
      }),
      { numRuns: 1000 },
    );
  }, 60_000);
});

describe('toBindable', () => {
  test('takes a text with its values, or a fragment that has its own', () => {
    expect(toBindable('SELECT ?', [1])).toEqual({ statement: analyze('SELECT ?'), params: [1] });
    expect(toBindable(sql`SELECT ${1}`)).toEqual({ statement: analyze('SELECT ?'), params: [1] });
  });

  test.each<[unknown, unknown, RegExp]>([
    [{ text: 'SELECT 1', values: [] }, undefined, /must be a string or made by the sql tag, not object/],
    [undefined, undefined, /not undefined/],
    [sql`SELECT ${1}`, [1], /leave the second argument out/],
  ])('refuses %o with %o', (statement, params, message) => {
    expect(fails(() => toBindable(statement as string, params as SqlParams)).message).toMatch(message);
  });
});

function fails(run: () => unknown): ParameterError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ParameterError);
    return error as ParameterError;
  }
  throw new Error('nothing was thrown');
}
