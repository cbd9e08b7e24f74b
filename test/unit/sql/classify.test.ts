import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify } from '../../../src/sql/classify.ts';
import { analyze } from '../../../src/sql/statement.ts';
import { isDangerous, isHarmless, readLabelled } from '../../corpus/corpus.ts';
import { particular } from '../../corpus/effects.ts';
import { statements } from '../../corpus/generate.ts';

const target = (sql: string): string => classify(sql).target;
const scope = (sql: string): string => analyze(sql).demand?.scope ?? 'none';

describe('classify', () => {
  test('says the target, the tables and why', () => {
    expect(classify('SELECT * FROM shop.stock s JOIN `item` USING (id)')).toEqual({
      target: 'replica',
      tables: [{ schema: 'shop', name: 'stock' }, { name: 'item' }],
      reason: 'it only reads',
    });
    expect(classify('UPDATE stock SET qty = 0')).toEqual({
      target: 'primary',
      tables: [{ name: 'stock' }],
      reason: 'UPDATE may write',
    });
  });

  test('remembers a text, and no text of the length of a bulk insert', () => {
    expect(classify('SELECT 4712')).toBe(classify('SELECT 4712'));
    expect(Object.isFrozen(classify('SELECT 4712'))).toBe(true);
    const long = `SELECT '${'x'.repeat(10_000)}'`;
    expect(classify(long)).not.toBe(classify(long));
  });

  test.each([
    // one reading is enough to be dangerous
    ['SELECT * FROM t /*!99999 FOR UPDATE */', 'primary'],
    ['SELECT * FROM t FOR /*!99999 SYSTEM_TIME AS OF NOW() */ UPDATE', 'primary'],
    ['SELECT * FROM t /*!50000 FOR*/ /*!80000 x*/ UPDATE', 'primary'],
    ['SELECT evil/*!99999 , abs*/(1)', 'primary'],
    ['SELECT /*!1*/ /*!50001 2*/ /*!50002 3*/ /*!50003 4*/', 'primary'],
    ['SELECT 1 /*!100100abs*/(1)', 'primary'],
    ['SELECT /*!40001 SQL_NO_CACHE */ * FROM t', 'replica'],
    ["SELECT 'a\\' , evil() -- '", 'primary'],
    ['SELECT "a\\" , evil() -- "', 'primary'],
    ["SELECT 'it\\'s' FROM t", 'replica'],
    ['SELECT "evil"(1)', 'primary'],
    ['SELECT /*+ QB_NAME(`*/ FROM t -- `) */ 1', 'primary'],
    // names that are functions in one place and none in another
    ['WITH evil (a) AS (SELECT 1) SELECT a FROM evil', 'replica'],
    ['WITH evil (a) AS (SELECT 1) SELECT evil(a) FROM evil', 'primary'],
    ['SELECT * FROM (SELECT 1) AS evil (a)', 'replica'],
    ['SELECT some(1)', 'primary'],
    ['SELECT 1 = SOME (SELECT 1)', 'replica'],
    ['SELECT datetime(3)', 'primary'],
    ["SELECT CONVERT('2024-01-01', DATETIME(3))", 'replica'],
    ['SELECT COUNT (*) FROM t', 'replica'],
    ['SELECT COUNT (a) FROM t', 'primary'],
    ['SELECT RANK () OVER (ORDER BY a) FROM t', 'replica'],
    ['SELECT RANK () FROM t', 'primary'],
    ['SELECT \u017fLEEP(1)', 'primary'],
    // verbs behind verbs
    ['EXPLAIN ANALYZE DELETE FROM t', 'primary'],
    ['ANALYZE TABLE t', 'primary'],
    ['ANALYZE SELECT 1', 'replica'],
    ['EXPLAIN (EXPLAIN (SELECT 1))', 'primary'],
    ['SET STATEMENT max_statement_time = 1 FOR SELECT 1', 'replica'],
    ['SET STATEMENT gtid_seq_no = 1 FOR SELECT 1', 'primary'],
    ['SET STATEMENT max_statement_time = 1 FOR DELETE FROM t', 'primary'],
    ['SELECT 1;;', 'replica'],
    ['SELECT 1; SELECT 2', 'primary'],
  ])('sends %j to the %s', (sql, expected) => {
    expect(target(sql)).toBe(expected);
  });
});

describe('the demand of a statement', () => {
  test.each([
    ['SELECT 1', 'none'],
    ['SELECT SLEEP(1)', 'server'],
    ['SELECT @a', 'server'],
    ['SELECT @@global.read_only', 'server'],
    ['SELECT @@read_only', 'server'],
    ['SELECT @@session.server_id', 'server'],
    ['SELECT @@`hostname`', 'server'],
    ['SHOW PROCESSLIST', 'server'],
    ['SHOW GRANTS FOR `a`@`%`', 'none'],
    ['SELECT evil()', 'primary'],
    ['SELECT SLEEP(1), evil()', 'primary'],
    ['INSERT INTO t (a) VALUES (1)', 'primary'],
    ['INSERT INTO t (a) VALUES (evil())', 'primary'],
    ['UPDATE t SET a = LAST_INSERT_ID(a + 1)', 'primary'],
    ['SET GLOBAL max_connections = 5', 'primary'],
    ["EXECUTE IMMEDIATE 'SELECT 1'", 'primary'],
    ['SELECT LAST_INSERT_ID()', 'session'],
    ['INSERT INTO t (a) VALUES (LAST_INSERT_ID())', 'session'],
    ['SELECT SQL_CALC_FOUND_ROWS * FROM t', 'session'],
    ['SHOW WARNINGS', 'session'],
    ['SELECT @a := 1', 'session-change'],
    ['INSERT INTO t (a) VALUES (@a := 1)', 'session-change'],
    ['SELECT a INTO @a FROM t', 'session-change'],
    ["SELECT GET_LOCK('a', 1)", 'session-change'],
    ['SET @a = 1', 'session-change'],
    ['SET GLOBAL max_connections = 5, sql_mode = 1', 'session-change'],
    ['CREATE TEMPORARY TABLE t (a INT)', 'session-change'],
    ['CREATE OR REPLACE TEMPORARY TABLE t (a INT)', 'session-change'],
    ['CREATE TABLE t (a INT)', 'primary'],
    ['USE shop', 'session-change'],
  ])('of %j is %s', (sql, expected) => {
    expect(scope(sql)).toBe(expected);
  });
});

describe('on the labelled corpus', () => {
  const labelled = readLabelled();
  const dangerous = labelled.filter(isDangerous);
  const harmless = labelled.filter(isHarmless);
  const lost = harmless.filter(({ sql }) => target(sql) === 'primary');

  test('every statement is labelled', () => {
    expect(labelled.map(({ sql }) => sql)).toEqual(statements());
    expect(labelled.length).toBeGreaterThan(1_000);
    expect(dangerous.length).toBeGreaterThan(500);
  });

  test('nothing dangerous goes to a replica', () => {
    expect(dangerous.filter(({ sql }) => target(sql) === 'replica')).toEqual([]);
  });

  test('at most 2 % of what is harmless goes to the primary', () => {
    const meant = lost.filter(({ sql }) => particular.includes(sql));
    const share = lost.length / harmless.length;
    process.stdout.write(
      `classify: 0 dangerous answers of ${dangerous.length}; ${lost.length} of ${harmless.length} harmless statements ` +
        `for the primary (${(share * 100).toFixed(1)} %), ${meant.length} of them on purpose\n`,
    );
    expect(share).toBeLessThanOrEqual(0.02);
  });
});

describe('any text', () => {
  const pieces = fc.constantFrom(
    ...'SELECT FROM t WHERE ( ) , ; . @ @a @@global := ? :n \' " ` \\ /*! /*!50100 /*M! */ /* -- # + * 1 0x1 N x'.split(
      ' ',
    ),
    ...'FOR UPDATE SHARE LOCK IN MODE INTO OUTFILE WITH RECURSIVE AS UNION EXPLAIN ANALYZE FORMAT = SHOW'.split(
      ' ',
    ),
    ...'TABLE VALUES ROW NEXT VALUE PROCEDURE SET STATEMENT abs evil NOW COUNT JSON_TABLE COLUMNS CONVERT'.split(
      ' ',
    ),
    '\n',
    '\0',
    '\u00a0',
    '\u017f',
    '/*+',
    '{',
    '}',
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join(' ')),
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
    fc.string({ unit: 'binary' }),
  );

  test('is classified without a throw', () => {
    fc.assert(
      fc.property(texts, (sql) => ['primary', 'replica'].includes(classify(sql).target)),
      { numRuns: 3_000 },
    );
  }, 60_000);

  test('with a lock, a file, an assignment or an unknown function in its code is for the primary', () => {
    const effects = fc.constantFrom(
      ' FOR UPDATE ',
      ' INTO OUTFILE ',
      ' @a := 1 ',
      ' evil(1) ',
      ' LOCK IN SHARE MODE ',
    );
    const plain = fc.constantFrom(
      ...'SELECT FROM t WHERE , + * 1 abs(1) a b (1) = "x" `y` /*c*/ UNION'.split(' '),
    );
    const side = fc.array(plain, { maxLength: 15 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(side, effects, side, (before, effect, after) => {
        return target(`SELECT 1 , ${before} , ${effect} ${after}`) === 'primary';
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);

  test.each([
    'SELECT a, ',
    '(',
    'EXPLAIN (',
    'evil(',
    'evil(a), ',
    'RANK (a, ',
    'abs(',
    'AGAINST(',
    ', a (b',
    "'\\'",
    '/*! ',
    '/*!50000 a */ ',
    '/*!50000 /* ',
    "/*!50000 'a' ",
    '/*+ ` */ ',
    'WITH a AS (SELECT 1), ',
    'SET STATEMENT max_statement_time = 1, ',
    'EXPLAIN ANALYZE ',
    '@@',
    ';',
  ])(
    'takes time in proportion to its length: many %j',
    (piece) => {
      const timeOf = (length: number): number => {
        const sql = piece.repeat(length / piece.length);
        const began = performance.now();
        classify(sql);
        return performance.now() - began;
      };
      // Ten times the text takes ten times as long, and a hundred times when it is quadratic; the machine may be busy.
      const ratios = Array.from({ length: 6 }, () => {
        const short = Math.min(timeOf(50_000), timeOf(50_000));
        return timeOf(500_000) / Math.max(short, 0.5);
      });
      expect(Math.min(...ratios)).toBeLessThan(40);
    },
    60_000,
  );
});
