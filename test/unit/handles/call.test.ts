import { describe, expect, test } from 'vitest';
import { routeOf } from '../../../src/handles/call.ts';
import { classify } from '../../../src/sql/classify.ts';
import { analyze } from '../../../src/sql/statement.ts';
import { compileTablePatterns } from '../../../src/sql/table-patterns.ts';
import { readLabelled } from '../../corpus/corpus.ts';

/** A look-up that knows of no views. */
function primaryOnly(...patterns: readonly string[]): Parameters<typeof routeOf>[1] {
  const isListed = compileTablePatterns(patterns);
  return {
    find: (tables) => {
      const table = tables.find(isListed);
      return table && { table: table.name, why: 'is listed' };
    },
  };
}

const listed = primaryOnly('stock', 'shop.price_*');
const mayRun = (sql: string): boolean => routeOf(analyze(sql), listed) === 'replica';

describe('a replica may run', () => {
  test.each([
    'SELECT * FROM product',
    'SELECT stock FROM product',
    "SELECT 'stock' FROM product AS p",
    'WITH stock AS (SELECT 1) SELECT * FROM stock',
    'SELECT * FROM other.price_list',
    'SHOW TABLES',
    'EXPLAIN SELECT * FROM product',
  ])('%s', (sql) => {
    expect(mayRun(sql)).toBe(true);
  });
});

describe('only the primary runs', () => {
  test.each([
    'SELECT qty FROM stock',
    'SELECT qty FROM `STOCK` AS product',
    'SELECT * FROM product JOIN shop.stock USING (sku)',
    'SELECT * FROM product WHERE sku IN (SELECT sku FROM stock)',
    'SELECT * FROM (SELECT * FROM stock) AS s',
    'WITH s AS (SELECT * FROM stock) SELECT * FROM s',
    'SELECT * FROM price_list',
    'SELECT * FROM product FOR UPDATE',
    'WITH x AS (SELECT 1) DELETE FROM product',
    'SELECT sell()',
    'SELECT @@global.read_only',
    'SELECT 1; SELECT 2',
    'UPDATE product SET name = 1',
    'CALL restock()',
    'gibberish',
    '',
  ])('%j', (sql) => {
    expect(mayRun(sql)).toBe(false);
  });
});

test('the decision is that of classify, for every statement of the corpus', () => {
  const texts = readLabelled().map(({ sql }) => sql);
  expect(texts.length).toBeGreaterThan(2_000);
  const different = texts.filter((sql) => routeOf(analyze(sql), primaryOnly()) !== classify(sql).target);
  expect(different).toEqual([]);
});
