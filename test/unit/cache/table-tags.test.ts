import { describe, expect, test } from 'vitest';
import { TableTags } from '../../../src/cache/table-tags.ts';

describe('the tables that the cache follows', () => {
  const tables = new TableTags(['product', 'crm.*'], 'shop');

  test('have one name each, however a statement names them', () => {
    const named = [{ name: 'Product' }, { schema: 'shop', name: 'product' }, { schema: 'CRM', name: 'a.b' }];
    expect(tables.of([...named, { name: 'orders' }])).toEqual(['shop.product', 'crm.a.b']);
    expect(['product', 'shop.Product', 'crm.a.b'].map((text) => tables.nameOf(text))).toEqual([
      'shop.product',
      'shop.product',
      'crm.a.b',
    ]);
  });

  test('keep their names', () => {
    for (const name of tables.of([{ name: 'product' }])) expect(tables.nameOf(name)).toBe(name);
    const nowhere = new TableTags(['shop.product'], undefined);
    const [name = ''] = nowhere.of([{ name: 'product' }]);
    expect(nowhere.nameOf(name)).toBe(name);
  });

  test('are told from others', () => {
    expect(tables.unfollowed([{ name: 'product' }])).toBeUndefined();
    expect(tables.unfollowed([{ name: 'product' }, { name: 'Orders' }])).toBe('shop.orders');
  });

  test('are none where none are configured', () => {
    const none = new TableTags([], 'shop');
    expect(none.of([{ name: 'product' }])).toEqual([]);
    expect(none.unfollowed([{ name: 'product' }])).toBe('shop.product');
  });
});
