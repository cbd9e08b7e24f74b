import { describe, expect, test } from 'vitest';
import { analyze } from '../../../src/sql/statement.ts';

const tables = (sql: string): string =>
  analyze(sql)
    .tables.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`))
    .join(' ');

describe('tables', () => {
  test.each([
    // plain reads
    ['SELECT 1', ''],
    ['SELECT 1 FROM DUAL', ''],
    ['SELECT * FROM t', 't'],
    ['SELECT * FROM t AS x WHERE x.a = 1 ORDER BY b, c LIMIT 1, 2', 't'],
    ['SELECT * FROM t, u x, `v w` GROUP BY a, b', 't u v w'],
    ['SELECT * FROM shop.stock, `shop`.`order`, shop . item', 'shop.stock shop.order shop.item'],
    ['SELECT * FROM db.2fa, 2fb', 'db.2fa 2fb'],
    ['SELECT * FROM `a``b`', 'a`b'],
    ['SELECT * FROM "t"', 't'],
    ['SELECT * FROM t JOIN u ON t.a = u.a LEFT OUTER JOIN v USING (a, b), w', 't u v w'],
    ['SELECT * FROM t STRAIGHT_JOIN u NATURAL JOIN v', 't u v'],
    ['SELECT STRAIGHT_JOIN a, b FROM t', 't'],
    ['SELECT * FROM (t, u) LEFT JOIN (v CROSS JOIN w) ON (t.a = v.a), x', 't u v w x'],
    ['SELECT * FROM ((t LEFT JOIN u ON f(1, 2)), v)', 't u v'],
    ['SELECT * FROM { OJ t LEFT OUTER JOIN u ON t.a = u.a }, v', 't u v'],
    ['SELECT * FROM t PARTITION (p0, p1) AS x, u', 't u'],
    ['SELECT * FROM t USE INDEX (a, b) IGNORE KEY FOR JOIN (c), u FORCE INDEX FOR ORDER BY (d, e)', 't u'],
    ['SELECT * FROM t FOR SYSTEM_TIME AS OF NOW(), u', 't u'],
    ['SELECT SQL_NO_CACHE * FROM t PROCEDURE ANALYSE(1, 2)', 't'],
    ['SELECT * FROM t WHERE a WINDOW w AS (ORDER BY a), x AS (ORDER BY b)', 't'],
    ['SELECT * FROM t returning, u duplicate, v window, w', 't u v w'],
    ['TABLE t ORDER BY a, b', 't'],
    ['(SELECT * FROM t) UNION (TABLE u) EXCEPT SELECT * FROM v', 't u v'],
    ['VALUES ROW(1, 2), ROW(3, 4)', ''],
    // functions with FROM, and columns with the names of keywords
    ['SELECT EXTRACT(YEAR FROM a), TRIM(LEADING x FROM b), SUBSTRING(c FROM 2 FOR 3) FROM t', 't'],
    ['SELECT TRIM((SELECT a FROM u) FROM b) FROM t', 'u t'],
    ['SELECT t.from, t.table, t.join FROM t', 't'],
    ['SELECT `from` FROM t', 't'],
    ["SELECT 'FROM x' FROM t -- FROM y\n/* FROM z */", 't'],
    ["SELECT INSERT(a, 1, 2, 'b'), REPLACE(a, 'b', 'c'), TRUNCATE(d, 2) FROM t", 't'],
    // subqueries and derived tables
    ['SELECT (SELECT a FROM u) FROM t WHERE a IN (SELECT b FROM v) AND EXISTS (TABLE w)', 'u t v w'],
    ['SELECT * FROM (SELECT * FROM t, u) AS d (a, b), v', 't u v'],
    ['SELECT * FROM t, LATERAL (SELECT * FROM u) AS d JOIN LATERAL (SELECT * FROM v) AS e', 't u v'],
    [
      'SELECT * FROM JSON_TABLE(a, "$" COLUMNS (b INT PATH "$.b", NESTED PATH "$" COLUMNS (c INT))) AS j, t',
      't',
    ],
    ['SELECT * FROM (VALUES ROW(1), ROW(2)) AS v, t', 't'],
    // common table expressions
    ['WITH a AS (SELECT * FROM t) SELECT * FROM a', 't'],
    ['WITH a AS (SELECT * FROM t), b (x, y) AS (SELECT * FROM a, u) SELECT * FROM A JOIN b', 't u'],
    ['WITH stock AS (SELECT * FROM stock) SELECT * FROM stock', 'stock'],
    ['WITH a AS (SELECT 1) SELECT * FROM shop.a', 'shop.a'],
    ['WITH RECURSIVE a AS (SELECT 1 UNION SELECT * FROM a JOIN t) SELECT * FROM a', 't'],
    ['WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a', 'b'],
    ['SELECT * FROM (WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a, b) AS d, a', 'a'],
    ['WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) SELECT * FROM a, b', 'b'],
    ['WITH RECURSIVE a AS (SELECT 1) CYCLE n RESTRICT, b AS (SELECT 1) SELECT * FROM a, b, t', 't'],
    ['WITH a AS (SELECT 1) SELECT * FROM a; SELECT * FROM a', 'a'],
    ['INSERT INTO stock WITH stock AS (SELECT 1) SELECT * FROM stock', 'stock'],
    ['SELECT a, COUNT(*) FROM t GROUP BY a WITH ROLLUP', 't'],
    // writes
    ['INSERT INTO t (a, b) VALUES (1, 2), (3, 4)', 't'],
    ['INSERT t VALUES (1)', 't'],
    ['INSERT LOW_PRIORITY IGNORE INTO s.t SET a = 1, b = 2', 's.t'],
    ['INSERT INTO t(a) SELECT b FROM u ON DUPLICATE KEY UPDATE a = 1, b = 2', 't u'],
    ['INSERT INTO t TABLE u', 't u'],
    ['REPLACE t VALUES (1)', 't'],
    ['REPLACE DELAYED INTO t SELECT * FROM u', 't u'],
    ['UPDATE t SET a = 1, b = (SELECT c FROM u), d = 2 WHERE e = 3', 't u'],
    ['UPDATE LOW_PRIORITY IGNORE t x, u JOIN v ON x.a = v.a SET x.b = 1, u.c = 2', 't u v'],
    ['WITH c AS (SELECT * FROM u) UPDATE t JOIN c SET t.a = 1', 'u t'],
    ['DELETE FROM t WHERE a = 1', 't'],
    ['DELETE x, y.* FROM t AS x JOIN u AS y', 't u'],
    ['DELETE QUICK FROM x, y USING t AS x JOIN u AS y, v', 'x y t u v'],
    ['LOAD DATA LOCAL INFILE "f" REPLACE INTO TABLE t FIELDS TERMINATED BY ","', 't'],
    ['SELECT a INTO @x FROM t', 't'],
    ['SELECT a FROM t INTO OUTFILE "f"', 't'],
    ['SELECT a INTO DUMPFILE "f" FROM t', 't'],
    ['SELECT * FROM t, u FOR UPDATE OF t, u SKIP LOCKED', 't u'],
    ['SELECT * FROM t LOCK IN SHARE MODE', 't'],
    ['SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1', 't'],
    ['SET @a = (SELECT b FROM t)', 't'],
    ['DO (SELECT a FROM t)', 't'],
    ['CALL p((SELECT a FROM t))', 't'],
    ['HANDLER t OPEN', 't'],
    ['EXPLAIN UPDATE t SET a = 1', 't'],
    ['EXPLAIN FORMAT=JSON SELECT * FROM t', 't'],
    ['DESC t', 't'],
    ['DESCRIBE s.t a', 's.t'],
    // executable comments are code
    ['SELECT * FROM t /*! , u */ /*M!100100 JOIN v */', 't u v'],
    ['/*!50100 DELETE */ FROM t', 't'],
    // definitions
    ['CREATE TABLE IF NOT EXISTS t (a INT REFERENCES u (b) ON DELETE CASCADE, KEY (c))', 't u'],
    ['CREATE TEMPORARY TABLE t LIKE u', 't u'],
    ['CREATE TABLE t ENGINE=InnoDB, COMMENT="x" SELECT * FROM u', 't u'],
    ['ALTER TABLE t ADD a INT, DROP b, ADD INDEX (c)', 't'],
    ['ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u', 't u'],
    ['DROP TABLE IF EXISTS t, s.u CASCADE', 't s.u'],
    ['TRUNCATE t', 't'],
    ['TRUNCATE TABLE t', 't'],
    ['RENAME TABLE t TO u, v TO w', 't u v w'],
    ['LOCK TABLES t READ, u AS x WRITE', 't u'],
    ['ANALYZE TABLE t, u', 't u'],
    ['CREATE OR REPLACE VIEW v AS SELECT * FROM t', 'v t'],
    ['CREATE UNIQUE INDEX i ON t (a, b)', 't'],
    ['DROP INDEX i ON t', 't'],
    ['CREATE TRIGGER r AFTER UPDATE ON t FOR EACH ROW UPDATE u SET a = 1', 't u'],
    [
      'CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW BEGIN DELETE FROM u; INSERT INTO v VALUES (1); END',
      't u v',
    ],
    ['SHOW CREATE TABLE t', 't'],
    ['SHOW COLUMNS FROM t', 't'],
    // named twice, reported once
    ['SELECT * FROM t JOIN T AS u JOIN s.t', 't s.t'],
  ])('of %j are %j', (sql, expected) => {
    expect(tables(sql)).toBe(expected);
  });
});
