import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../../src/sql/statement.ts';

describe('verb', () => {
  test.each([
    ['', ''],
    ['  -- nothing\n', ''],
    ['select 1', 'SELECT'],
    ['/* a */ ((SELECT 1))', 'SELECT'],
    ['; SELECT 1', 'SELECT'],
    ['/*!50100 INSERT */ INTO t VALUES (1)', 'INSERT'],
    ['WITH a AS (SELECT 1) SELECT * FROM a', 'SELECT'],
    [
      'WITH RECURSIVE a (n, m) AS (SELECT 1, 2 UNION SELECT n+1, 2 FROM a), b AS (SELECT 1) UPDATE t JOIN a SET x = 1',
      'UPDATE',
    ],
    ['WITH a AS (SELECT 1) CYCLE n RESTRICT, b AS (SELECT 2) DELETE FROM t', 'DELETE'],
    ['WITH a AS (SELECT 1) (SELECT * FROM a)', 'SELECT'],
    ['WITH `a b` AS (SELECT ")") TABLE t', 'TABLE'],
    ['WITH', 'WITH'],
    ['EXPLAIN SELECT 1', 'EXPLAIN'],
    ['`select` 1', ''],
  ])('of %j is %j', (sql, verb) => {
    expect(analyze(sql).verb).toBe(verb);
  });
});

describe('kind', () => {
  test.each([
    'INSERT INTO t VALUES (1)',
    'insert into t select * from u on duplicate key update a = 1;',
    'UPDATE t SET a = 1',
    'DELETE FROM t',
    'REPLACE INTO t VALUES (1)',
    'WITH a AS (SELECT 1) UPDATE t, a SET x = 1',
    'WITH a AS (SELECT 1) DELETE FROM t WHERE id IN (SELECT * FROM a)',
    '/* note */ UPDATE t SET a = 1 -- end',
    "UPDATE t SET a = ';'",
  ])('is a single write for %j', (sql) => {
    expect(analyze(sql).kind).toBe('single-write');
  });

  test.each([
    'SELECT 1',
    'SELECT 1 FOR UPDATE',
    'INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)',
    'UPDATE t SET a = 1; ; COMMIT',
    'CALL p()',
    'DO RELEASE_LOCK("a")',
    'LOAD DATA INFILE "x" REPLACE INTO TABLE t',
    'TRUNCATE TABLE t',
    'CREATE TABLE t SELECT 1',
    'UPDATE t SET a = 1 /*! , b = 2 */',
    '/*M! DELETE */ FROM t',
    'EXPLAIN UPDATE t SET a = 1',
    'ANALYZE UPDATE t SET a = 1',
    'SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1',
    'EXECUTE IMMEDIATE "DELETE FROM t"',
    'BEGIN NOT ATOMIC UPDATE t SET a = 1; END',
    'WITH a AS (SELECT 1) SELECT * FROM a',
    '',
  ])('is other for %j', (sql) => {
    expect(analyze(sql).kind).toBe('other');
  });
});

describe('multiple', () => {
  test.each<[string, boolean]>([
    ['SELECT 1', false],
    ['SELECT 1;', false],
    [' ; SELECT 1 ; -- end', false],
    ['SELECT ";"', false],
    ['SELECT 1; SELECT 2', true],
    ['SELECT 1 /*! ; DROP TABLE t */', true],
    ['CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END', false],
    ['CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END', false],
    ['BEGIN NOT ATOMIC SELECT 1; SELECT 2; END', false],
    ['IF 1 THEN SELECT 1; END IF', false],
    ['BEGIN; SELECT 1', true],
    ['CREATE TABLE t (a INT); BEGIN', true],
  ])('of %j is %j', (sql, multiple) => {
    expect(analyze(sql).multiple).toBe(multiple);
  });
});

describe('placeholders', () => {
  test.each([
    ['SELECT 1', 'none'],
    ["SELECT '?', ':a' -- ?", 'none'],
    ['SELECT ?', 'positional'],
    ['SELECT :a', 'named'],
    ['SELECT ?, :a', 'mixed'],
  ])('of %j are %j', (sql, placeholders) => {
    expect(analyze(sql).placeholders).toBe(placeholders);
  });
});

describe('analyze', () => {
  test('gives the same frozen object for the same text', () => {
    const statement = analyze('SELECT 4711');
    expect(analyze('SELECT 4711')).toBe(statement);
    expect(Object.isFrozen(statement)).toBe(true);
    expect(Object.isFrozen(statement.tables)).toBe(true);
    expect(Object.isFrozen(statement.template.slots)).toBe(true);
  });

  test('does not keep texts of the length of a bulk insert', () => {
    const sql = `SELECT '${'x'.repeat(10_000)}'`;
    expect(analyze(sql)).not.toBe(analyze(sql));
  });

  const words = fc.constantFrom(
    'WITH',
    'RECURSIVE',
    'a',
    'AS',
    '(',
    ')',
    ',',
    'SELECT',
    'FROM',
    'JOIN',
    'UPDATE',
    'SET',
    '=',
    'INSERT',
    'INTO',
    'CYCLE',
    'RESTRICT',
    'BEGIN',
    ';',
    ':',
    '?',
    ':n',
    '.',
    '`q',
    "'",
    '/*!',
    '*/',
    'TABLE',
    'ON',
    'CREATE',
    'FOR',
    'STATEMENT',
    'IN',
    '{',
    'OJ',
  );

  test('never throws', () => {
    const texts = fc.oneof(
      fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (sql) => {
        const { parts, slots } = analyze(sql).template;
        return parts.length === slots.length + 1;
      }),
      { numRuns: 1000 },
    );
  }, 60_000);

  test.each([
    'WITH a (',
    'WITH a AS (',
    'SELECT * FROM (',
    'a,',
    '?',
    ':a ',
    ';',
    'DELETE USING ',
    '(',
    'WITH a AS (SELECT 1) CYCLE ',
  ])(
    'takes time in proportion to the text: many %j',
    (piece) => {
      const sql = piece.repeat(100_000 / piece.length);
      const began = performance.now();
      analyze(sql);
      expect(performance.now() - began).toBeLessThan(5000);
    },
    60_000,
  );
});
