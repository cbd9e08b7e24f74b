import { describe, expect, test } from 'vitest';
import { compileTablePatterns } from '../../../src/sql/table-patterns.ts';

describe('compileTablePatterns', () => {
  test.each<[string, string | undefined, string, boolean]>([
    ['stock', undefined, 'stock', true],
    ['stock', undefined, 'STOCK', true],
    ['Stock', 'shop', 'stock', true],
    ['stock', undefined, 'stocks', false],
    ['shop.stock', 'shop', 'stock', true],
    ['shop.stock', 'SHOP', 'Stock', true],
    ['shop.stock', 'other', 'stock', false],
    ['shop.stock', undefined, 'stock', true], // the database of the connection may be shop
    ['inventory_*', undefined, 'inventory_2024', true],
    ['inventory_*', 'any', 'inventory_', true],
    ['inventory_*', undefined, 'inventory', false],
    ['*_log', undefined, 'a_log', true],
    ['a*a', undefined, 'a', false],
    ['a*a', undefined, 'aa', true],
    ['a*b*c', undefined, 'a1b2c', true],
    ['a*b*c', undefined, 'a1c', false],
    ['a*b*b', undefined, 'ab', false],
    ['shop.*', 'shop', 'anything', true],
    ['shop_*.stock', 'shop_1', 'stock', true],
    ['shop_*.stock', 'other', 'stock', false],
    ['.', undefined, 'x', false],
    ['a.b', 'a', 'xb', false],
    ['`shop`.`stock`', 'shop', 'stock', true],
    ['`a.b`', undefined, 'a.b', true],
    ['st.ck', undefined, 'stock', false],
  ])('%s and table %s.%s: %s', (pattern, schema, name, expected) => {
    const matches = compileTablePatterns([pattern]);
    expect(matches(schema === undefined ? { name } : { schema, name })).toBe(expected);
  });

  test('matches when any pattern does, and nothing without patterns', () => {
    const matches = compileTablePatterns(['stock', 'shop.price', 'inventory_*']);
    expect(['stock', 'price', 'inventory_1', 'product'].map((name) => matches({ name }))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(compileTablePatterns([])({ name: 'stock' })).toBe(false);
  });
});
