import type { FieldPacket } from 'mysql2';
import { describe, expect, test } from 'vitest';
import { columnTypes, mysql2TypeOptions, type TypeConfig } from '../../../src/rows/column-types.ts';
import { rowDecoder } from '../../../src/rows/decode.ts';

const types: TypeConfig = { bigint: 'auto', dates: 'date' };

function field(name: string, type: number, more: Partial<FieldPacket> = {}): FieldPacket {
  return { name, type, columnType: type, decimals: 0, flags: 0, ...more } as FieldPacket;
}

describe('rowDecoder', () => {
  test.each(['text', 'prepared'] as const)('is undefined in %s when no column needs work', (protocol) => {
    const free = [1, 2, 3, 9, 13, 16, 246, 247, 248, 252, 253, 254, 255].map((type) =>
      field(`c${type}`, type),
    );
    expect(rowDecoder(free, { types, protocol })).toBeUndefined();
  });

  test('is undefined in text for dates as text, and for BIGINT as text', () => {
    const fields = [
      field('a', columnTypes.datetime),
      field('b', columnTypes.date),
      field('c', columnTypes.bigint),
    ];
    expect(
      rowDecoder(fields, { types: { bigint: 'string', dates: 'string' }, protocol: 'text' }),
    ).toBeUndefined();
  });

  test('asks mysql2 for what the column is on the wire, and keeps its type to be seen', () => {
    const text = [field('a', columnTypes.double), field('b', columnTypes.datetime)];
    rowDecoder(text, { types, protocol: 'text' });
    expect(text.map(({ columnType }) => columnType)).toEqual([columnTypes.decimal, columnTypes.datetime]);
    const prepared = [columnTypes.date, columnTypes.time, columnTypes.datetime, columnTypes.timestamp].map(
      (type) => field('a', type),
    );
    rowDecoder(prepared, { types, protocol: 'prepared' });
    expect(prepared.map(({ columnType }) => columnType)).toEqual(Array(4).fill(columnTypes.blob));
    expect(prepared.map(({ type }) => type)).toEqual([10, 11, 12, 7]);
  });

  test('leaves NULL as it is, in every column', () => {
    const all = Object.values(columnTypes).map((type) => field(`c${type}`, type));
    for (const protocol of ['text', 'prepared'] as const) {
      const row = Object.fromEntries(all.map(({ name }) => [name, null]));
      const expected = { ...row };
      rowDecoder(all, { types, protocol, json: ['c252'] })?.(row);
      expect(row).toEqual(expected);
    }
  });

  test('reads dates that mysql2 has read as text all the same', () => {
    const decode = rowDecoder([field('a', columnTypes.datetime), field('b', columnTypes.time)], {
      types,
      protocol: 'prepared',
    });
    const row = { a: '2024-01-01 00:00:00', b: '01:02:03' };
    decode?.(row);
    expect(row).toEqual({ a: new Date('2024-01-01T00:00:00Z'), b: '01:02:03' });
  });

  test('of columns with one name minds the last', () => {
    const decode = rowDecoder([field('a', columnTypes.bigint), field('a', 253)], { types, protocol: 'text' });
    expect(decode).toBeUndefined();
  });
});

describe('mysql2TypeOptions', () => {
  test.each<[TypeConfig, object]>([
    [
      { bigint: 'auto', dates: 'date' },
      { supportBigNumbers: true, bigNumberStrings: false },
    ],
    [
      { bigint: 'bigint', dates: 'string' },
      { supportBigNumbers: true, bigNumberStrings: false },
    ],
    [
      { bigint: 'string', dates: 'date' },
      { supportBigNumbers: true, bigNumberStrings: true },
    ],
  ])('of %o round nothing and leave reading to the decoder', (config, expected) => {
    expect(mysql2TypeOptions(config)).toMatchObject({
      ...expected,
      decimalNumbers: false,
      dateStrings: true,
      jsonStrings: true,
    });
  });
});
