const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Reserved words that may stand between a keyword and its table. */
export const skipped = words('IF NOT EXISTS LOW_PRIORITY HIGH_PRIORITY DELAYED IGNORE INTO TABLE');

/** Reserved words that are no table where one could stand. */
export const noTable = words(
  'SELECT WITH VALUES SET WHERE ON USING FROM AS JOIN LEFT RIGHT INNER CROSS NATURAL STRAIGHT_JOIN UNION DUAL ' +
    'INSERT UPDATE DELETE REPLACE OUTFILE',
);

/** Words that end a list of tables; all reserved, so that none can be an alias within it. */
export const ends = words('WHERE GROUP HAVING ORDER LIMIT SET VALUES UNION PROCEDURE SELECT WITH');

/** What follows an INSERT or REPLACE that is a function, a trigger's event or a privilege. */
export const notInsert = words('( ON OR OF ,');

/** What precedes an UPDATE that is a clause, a trigger's event or a lock. */
export const notUpdate = words('KEY FOR ON AFTER BEFORE OR');

/** Verbs that name their tables in a list. */
export const listVerbs = words('DROP LOCK RENAME ANALYZE CHECK CHECKSUM OPTIMIZE REPAIR FLUSH');

/** Verbs that describe a table when one follows. */
export const explains = words('DESC DESCRIBE EXPLAIN');

/** What follows such a verb when it explains a statement. */
export const explainOptions = words('EXTENDED PARTITIONS FORMAT ANALYZE FOR');

/** Verbs under which VIEW, INDEX and the like name an object. */
export const ddl = words('CREATE ALTER DROP RENAME SHOW');
