import type { LabVendor } from '../../src/testing/index.ts';

/** Tables, views, routines and sequences that the statements of the corpus name; run on the primary, as administrator. */
export function schemaOf(vendor: LabVendor, database: string): readonly string[] {
  return [...common(database), ...(vendor === 'mysql' ? mysqlOnly : mariadbOnly)];
}

const common = (database: string): readonly string[] => [
  `DROP DATABASE IF EXISTS ${database}`,
  `CREATE DATABASE ${database} CHARACTER SET utf8mb4`,
  `USE ${database}`,
  'CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(50), c DATETIME, d DECIMAL(10,2), j LONGTEXT, e INT, KEY ia (a), KEY ib (b), FULLTEXT KEY ft (b)) ENGINE=InnoDB',
  'CREATE TABLE u (id INT PRIMARY KEY, t_id INT, name VARCHAR(50), n INT, KEY it (t_id)) ENGINE=InnoDB',
  'CREATE TABLE v (id INT PRIMARY KEY, u_id INT, val TEXT) ENGINE=InnoDB',
  'CREATE TABLE p (id INT, k INT, PRIMARY KEY (id, k)) ENGINE=InnoDB PARTITION BY HASH (k) PARTITIONS 4',
  'CREATE TABLE `order` (`select` INT, `from` INT, `into` INT, `update` INT, `lock` INT, `for` INT, `key` INT, share INT, value INT, next INT) ENGINE=InnoDB',
  'CREATE TABLE `we``ird ta"ble` (`co l` INT, `;` INT, `/*` INT, `--` INT) ENGINE=InnoDB',
  'CREATE TABLE my (id INT, a INT) ENGINE=MyISAM',
  'CREATE VIEW tv AS SELECT id, a, b FROM t WHERE a > 0',
  'CREATE VIEW uv AS SELECT u.id, u.name, t.a FROM u JOIN t ON t.id = u.t_id',
  "INSERT INTO t (a, b, c, d, j, e) VALUES (1, 'one', '2024-01-01 10:00:00', 1.5, '{\"x\": [1, 2]}', 1), (2, 'two', '2024-02-01 10:00:00', 2.5, '[1, 2]', 2), (3, 'three', NULL, NULL, NULL, NULL)",
  "INSERT INTO u VALUES (1, 1, 'ann', 1), (2, 1, 'bob', 2), (3, 2, 'cid', 3)",
  "INSERT INTO v VALUES (1, 1, 'x'), (2, 2, 'y')",
  'INSERT INTO p VALUES (1, 1), (2, 2), (3, 3)',
  'INSERT INTO `order` VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1)',
  'INSERT INTO my VALUES (1, 1)',
  'CREATE FUNCTION f_write() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO v (id, val) VALUES (RAND() * 1000000, 1); RETURN 1; END',
  'CREATE FUNCTION f_update(x INT) RETURNS INT MODIFIES SQL DATA BEGIN UPDATE u SET n = n + x; RETURN x; END',
  'CREATE FUNCTION f_state(x INT) RETURNS INT NO SQL BEGIN SET @left_behind = x; RETURN x; END',
  "CREATE FUNCTION f_lock() RETURNS INT NO SQL RETURN GET_LOCK('corpus', 0)",
  'CREATE FUNCTION `now`() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO v (id) VALUES (RAND() * 1000000); RETURN 1; END',
  'CREATE FUNCTION `count`(x INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM v WHERE id = x; RETURN 1; END',
  'CREATE FUNCTION `datetime`(x INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM v WHERE id = x; RETURN 1; END',
  'CREATE FUNCTION `columns`(x INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM v WHERE id = x; RETURN 1; END',
  'CREATE FUNCTION `some`(x INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM v WHERE id = x; RETURN 1; END',
  'CREATE FUNCTION `abs`(x INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM v WHERE id = x; RETURN 1; END',
  'CREATE FUNCTION `ſleep`(x INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM v WHERE id = x; RETURN 1; END',
  'CREATE PROCEDURE pr() SELECT 1',
  'CREATE PROCEDURE pr_write() INSERT INTO v (id) VALUES (7)',
  'CREATE PROCEDURE pr_out(OUT x INT) SET x = 5',
];

const mysqlOnly: readonly string[] = [
  'CREATE TABLE js (id INT PRIMARY KEY, doc JSON) ENGINE=InnoDB',
  'INSERT INTO js VALUES (1, \'{"a": 1, "tags": [1, 2, 3]}\')',
];

const mariadbOnly: readonly string[] = [
  'CREATE TABLE js (id INT PRIMARY KEY, doc JSON) ENGINE=InnoDB',
  'INSERT INTO js VALUES (1, \'{"a": 1, "tags": [1, 2, 3]}\')',
  'CREATE SEQUENCE s',
  'CREATE TABLE versioned (id INT PRIMARY KEY, a INT) ENGINE=InnoDB WITH SYSTEM VERSIONING',
  'INSERT INTO versioned VALUES (1, 1)',
];
