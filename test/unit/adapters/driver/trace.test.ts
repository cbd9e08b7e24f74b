import { describe, expect, test } from 'vitest';
import { readsState, traceOf } from '../../../../src/adapters/driver/trace.ts';
import { analyze } from '../../../../src/sql/statement.ts';

const traces = {
  none: [
    'BEGIN',
    'START TRANSACTION',
    'COMMIT',
    'ROLLBACK',
    'SAVEPOINT a',
    'ROLLBACK TO SAVEPOINT a',
    'RELEASE SAVEPOINT a',
  ],
  readable: [
    'SELECT qty FROM stock',
    'SELECT @@server_id',
    'SHOW WARNINGS',
    'INSERT INTO stock VALUES (1, 2)',
    'UPDATE stock SET qty = LAST_INSERT_ID(qty + 1)',
  ],
  state: [
    "SET time_zone = '+02:00'",
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    'SELECT @a := 1',
    'CREATE TEMPORARY TABLE found (sku INT)',
    'LOCK TABLES stock READ',
    "SELECT GET_LOCK('stock', 1)",
    'CALL restock()',
    'SELECT own_function(1)',
    'SELECT 1; SELECT 2',
    'COMMIT; SET @a = 1',
  ],
} as const;

describe.each(Object.entries(traces))('what is left is %s', (trace, statements) => {
  test.each(statements)('by %s', (sql) => {
    expect(traceOf(analyze(sql))).toBe(trace);
  });
});

test.each(['SELECT LAST_INSERT_ID()', 'SELECT FOUND_ROWS()', 'SHOW WARNINGS', 'SET @a = @a + 1'])(
  '%s asks for what was left',
  (sql) => {
    expect(readsState(analyze(sql))).toBe(true);
  },
);

test.each(['SELECT qty FROM stock', 'INSERT INTO stock VALUES (1, 2)', 'COMMIT', 'CALL restock()'])(
  '%s does not ask for what was left',
  (sql) => {
    expect(readsState(analyze(sql))).toBe(false);
  },
);
