import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { RowSchemaError } from '../../../src/errors/errors.ts';
import { applySchema } from '../../../src/rows/schema.ts';

const person = z.object({ id: z.number(), address: z.object({ city: z.string() }).optional() });

describe('applySchema', () => {
  test('gives the rows as the schema makes them', () => {
    const schema = z.object({ id: z.coerce.bigint(), on: z.number().transform(Boolean) });
    expect(
      applySchema(
        [
          { id: 1, on: 1 },
          { id: '2', on: 0 },
        ],
        schema,
      ),
    ).toEqual([
      { id: 1n, on: true },
      { id: 2n, on: false },
    ]);
    expect(applySchema([], schema)).toEqual([]);
  });

  test.each<[unknown[], number, string]>([
    [[{ id: 1 }, { id: 'hunter2' }], 1, 'id'],
    [[{ id: 1, address: { city: 5 } }], 0, 'address.city'],
    [[{ id: 1 }, { id: 2 }, 'hunter2'], 2, ''],
    [[{}], 0, 'id'],
  ])('names row and path of what does not fit, and no value: %j', (rows, rowIndex, path) => {
    let error: unknown;
    try {
      applySchema(rows, person);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(RowSchemaError);
    expect(error).toMatchObject({ rowIndex, path });
    expect((error as Error).message).toContain(`row ${rowIndex}`);
    expect(
      JSON.stringify(error) + String((error as Error).stack) + String((error as Error).cause),
    ).not.toContain('hunter2');
  });

  test('keeps values out even of a schema that puts them into its issues', () => {
    const schema = {
      safeParse: () =>
        ({ success: false, error: { issues: [{ path: ['a'], message: 'bad', input: 'hunter2' }] } }) as const,
    };
    expect(() => applySchema([{}], schema)).toThrow(/^row 0, a: bad$/);
  });
});
