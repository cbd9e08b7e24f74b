import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { GtidSet } from '../../../src/consistency/gtid-set.ts';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { InvalidPositionError } from '../../../src/consistency/position.ts';

const most = 2n ** 64n - 1n;

describe('GtidList.parse', () => {
  test.each([
    ['', ''],
    ['0-1-20', '0-1-20'],
    [' 1-2-7 ,\n0-1-20', '0-1-20,1-2-7'],
    ['0-2-5,0-1-9', '0-1-9,0-2-5'],
    ['0-1-5,0-1-9,0-1-7', '0-1-9'],
    ['10-1-1,9-1-1,9-10-1,9-9-1', '9-1-1,9-9-1,9-10-1,10-1-1'],
    ['0-1-0', ''],
    [`4294967295-4294967295-${most}`, `4294967295-4294967295-${most}`],
    ['00-01-007', '0-1-7'],
  ])('reads %j as %j', (text, canonical) => {
    expect(GtidList.parse(text).toString()).toBe(canonical);
  });

  test.each([
    ['0-1', '"0-1" is not domain-server-sequence'],
    ['0-1-2-3', 'is not domain-server-sequence'],
    ['0-1-2,', '"" is not domain-server-sequence'],
    ['0-1-2,,0-2-3', '"" is not domain-server-sequence'],
    ['4294967296-1-1', 'a domain (in "4294967296-1-1") must be a whole number up to 4294967295'],
    ['0-4294967296-1', 'a server (in "0-4294967296-1") must be'],
    [`0-1-${most + 1n}`, `must be a whole number up to ${most}, not "${most + 1n}"`],
    ['0-x-1', 'a server (in "0-x-1") must be a whole number up to 4294967295, not "x"'],
    ['0-1-1e3', 'a sequence number (in "0-1-1e3") must be'],
    ['0 - 1 - 2', 'a domain (in "0 - 1 - 2") must be'],
    ['aaaaaaaa-0000-1111-2222-333333333333:1', 'is not domain-server-sequence'],
  ])('refuses %j and says why', (text, message) => {
    expect(() => GtidList.parse(text)).toThrow(InvalidPositionError);
    expect(() => GtidList.parse(text)).toThrow(message);
  });

  test('refuses a text that is too long before it reads it', () => {
    expect(() => GtidList.parse('0-1-20', 5)).toThrow('6 characters are too many; at most 5 are read');
  });
});

describe('a GtidList', () => {
  const list = GtidList.parse('0-1-20,0-2-9,1-2-7');

  test('gives what came from one server, in every domain', () => {
    expect(list.from(2).toString()).toBe('0-2-9,1-2-7');
    expect(list.from(3).isEmpty).toBe(true);
  });

  test('does not take the progress of one server in a domain for that of another', () => {
    expect(list.contains(GtidList.parse('0-2-10'))).toBe(false);
    expect(GtidList.parse('0-2-500').contains(GtidList.parse('0-1-20'))).toBe(false);
  });

  test('says where it is further on', () => {
    expect(list.subtract(GtidList.parse('0-1-20,0-2-8,2-2-2')).toString()).toBe('0-2-9,1-2-7');
  });

  test('cannot be combined with a position of MySQL', () => {
    for (const method of ['contains', 'union', 'subtract'] as const) {
      expect(() => list[method](GtidSet.empty)).toThrow(
        'a position of MySQL cannot be compared with one of MariaDB',
      );
    }
  });
});

/** A list as the end of each source. */
type Model = Record<string, bigint>;

const models: fc.Arbitrary<Model> = fc.dictionary(
  fc.constantFrom('0-1', '0-2', '1-1', '10-3'),
  fc.oneof(fc.bigInt({ min: 1n, max: 6n }), fc.bigInt({ min: most - 4n, max: most })),
);

const listOf = (model: Model): GtidList =>
  GtidList.parse(
    Object.entries(model)
      .map(([source, end]) => `${source}-${end}`)
      .join(','),
  );

describe('the arithmetic of GtidList', () => {
  test('agrees with that of single ends', () => {
    fc.assert(
      fc.property(models, models, (x, y) => {
        const [left, right] = [listOf(x), listOf(y)];
        const difference = Object.fromEntries(
          Object.entries(x).filter(([source, end]) => end > (y[source] ?? 0n)),
        );
        const union = { ...x };
        for (const [source, end] of Object.entries(y)) {
          if (end > (union[source] ?? 0n)) union[source] = end;
        }
        expect(left.subtract(right).toString()).toBe(listOf(difference).toString());
        expect(left.union(right).toString()).toBe(listOf(union).toString());
        expect(right.contains(left)).toBe(Object.keys(difference).length === 0);
      }),
    );
  });

  test('never throws anything else on any text', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9,\s-]{0,60}$/));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          GtidList.parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPositionError);
        }
      }),
    );
  });
});

test('parsePosition reads the notation of the vendor', () => {
  expect(parsePosition('mariadb', '0-1-20')).toBeInstanceOf(GtidList);
  expect(parsePosition('mysql', '')).toBeInstanceOf(GtidSet);
  expect(() => parsePosition('mysql', '0-1-20')).toThrow(InvalidPositionError);
});
