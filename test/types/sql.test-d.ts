import { assertType, describe, expectTypeOf, test } from 'vitest';
import type { SqlFragment } from '../../src/sql/fragment.ts';
import { sql } from '../../src/sql/tag.ts';
import type { SqlParams } from '../../src/sql/value.ts';

describe('sql', () => {
  test('makes fragments of values and fragments', () => {
    expectTypeOf(
      sql`SELECT ${1}, ${'a'}, ${2n}, ${true}, ${null}, ${new Date()}, ${Buffer.alloc(0)}`,
    ).toEqualTypeOf<SqlFragment>();
    expectTypeOf(sql`a IN (${[1, 2]}) AND ${sql.id('a')} = ${sql.raw('1')}`).toEqualTypeOf<SqlFragment>();
  });

  test('takes no undefined, no plain object and no nested array', () => {
    // @ts-expect-error undefined is no SQL value
    sql`SELECT ${undefined}`;
    // @ts-expect-error an object has to be serialised
    sql`SELECT ${{ a: 1 }}`;
    // @ts-expect-error arrays are flat
    sql`a IN (${[[1]]})`;
    // @ts-expect-error an optional property may be undefined
    sql`SELECT ${({} as { a?: string }).a}`;
  });

  test('checks the columns of a bulk insert against its rows', () => {
    interface Item {
      id: number;
      name: string | null;
    }
    const items: Item[] = [];
    expectTypeOf(sql.values(items, ['id', 'name'])).toEqualTypeOf<SqlFragment>();
    expectTypeOf(sql.values([[1, 'a', sql.raw('NOW()')]])).toEqualTypeOf<SqlFragment>();
    // @ts-expect-error no such column
    sql.values(items, ['id', 'nme']);
    // @ts-expect-error objects need their columns
    sql.values(items);
  });
});

test('parameters are a list or a record of values', () => {
  assertType<SqlParams>([1, 'a', [1, 2], null]);
  assertType<SqlParams>({ id: 1, ids: ['a'] });
  // @ts-expect-error undefined is no SQL value
  assertType<SqlParams>([undefined]);
  // @ts-expect-error undefined is no SQL value
  assertType<SqlParams>({ id: undefined });
  // @ts-expect-error an object has to be serialised
  assertType<SqlParams>([{ a: 1 }]);
});

test('a fragment is read-only', () => {
  const fragment = sql`SELECT 1`;
  // @ts-expect-error read-only
  fragment.text = 'SELECT 2';
});
