import { describe, expect, test } from 'vitest';
import { UnsafeIntegerError } from '../../../src/errors/errors.ts';
import { type InsertId, insertIds } from '../../../src/rows/insert-id.ts';

const idOf = (raw: number | string): InsertId => Object.defineProperties({}, insertIds(raw)) as InsertId;

describe('insertIds', () => {
  test.each<[number | string, number, bigint]>([
    [0, 0, 0n],
    [5, 5, 5n],
    [-5, -5, -5n],
    [2 ** 53 - 1, 2 ** 53 - 1, 2n ** 53n - 1n],
    ['5', 5, 5n],
  ])('of %j are %d and %d', (raw, insertId, insertIdBig) => {
    expect({ ...idOf(raw) }).toEqual({ insertId });
    expect(idOf(raw).insertIdBig).toBe(insertIdBig);
    expect(JSON.stringify(idOf(raw))).toBe(`{"insertId":${insertId}}`);
  });

  test.each(['9007199254740992', '9223372036854775807', '-9007199254740992'])(
    'of %s throw only where the number is read',
    (raw) => {
      const id = idOf(raw);
      expect(id.insertIdBig).toBe(BigInt(raw));
      expect(() => id.insertId).toThrow(UnsafeIntegerError);
      expect({ ...id }).toEqual({});
      expect(JSON.stringify(id)).toBe('{}');
    },
  );
});
