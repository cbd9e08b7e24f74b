import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { GtidSet } from '../../../src/consistency/gtid-set.ts';
import { InvalidPositionError } from '../../../src/consistency/position.ts';

const a = 'aaaaaaaa-0000-1111-2222-333333333333';
const b = 'bbbbbbbb-0000-1111-2222-333333333333';
const most = 2n ** 63n - 2n;

describe('GtidSet.parse', () => {
  test.each([
    ['', ''],
    [' \n', ''],
    [`${a}:1`, `${a}:1`],
    [`${a}:1-5:7`, `${a}:1-5:7`],
    [`${a.toUpperCase()}:3-3`, `${a}:3`],
    [`  ${a} : 1 - 5 : 7 ,\n ${b}:2`, `${a}:1-5:7,${b}:2`],
    [`${b}:2,${a}:1`, `${a}:1,${b}:2`],
    [`${a}:7:1-5:6`, `${a}:1-7`],
    [`${a}:1-5,${a}:4-9`, `${a}:1-9`],
    [`${a}:tag:1-3`, `${a}:tag:1-3`],
    [`${a}:TAG_1:1,${a}:tag_1:2`, `${a}:tag_1:1-2`],
    [`${a}:_t:4:1-3:other:9:_t:5`, `${a}:_t:1-5:other:9`],
    [`${a}:1-2:tag:1:5-6,${a}:3`, `${a}:1-3:tag:1:5-6`],
    [`${a}:1-${most}`, `${a}:1-${most}`],
    [`${a}:007`, `${a}:7`],
  ])('reads %j as %j', (text, canonical) => {
    expect(GtidSet.parse(text).toString()).toBe(canonical);
  });

  test.each([
    ['abc:1', '"abc" is no UUID (in "abc:1")'],
    [`${a}0:1`, 'is no UUID'],
    [a, `no interval follows the UUID (in "${a}")`],
    [`${a}:`, 'must be a whole number up to 9223372036854775806, not ""'],
    [`${a}:1,`, '"" is no UUID'],
    [`${a}:1,,${b}:1`, '"" is no UUID'],
    [`${a}:tag`, 'no interval follows the tag tag'],
    [`${a}:tag:other:1`, 'no interval follows the tag tag'],
    [`${a}:1:tag`, 'no interval follows the tag tag'],
    [`${a}:9tag:1`, 'not "9tag"'],
    [`${a}:${'t'.repeat(33)}:1`, 'must be a whole number'],
    [`${a}:0`, 'must be 1 or more, not "0"'],
    [`${a}:0-4`, 'must be 1 or more'],
    [`${a}:5-3`, 'the interval "5-3" ends before it begins'],
    [`${a}:1-2-3`, 'must be n or n-m, not "1-2-3"'],
    [`${a}:1.5`, 'not "1.5"'],
    [`${a}:-1`, 'not ""'],
    [`${a}:+1`, 'not "+1"'],
    [`${a}:0x10`, 'not "0x10"'],
    [`${a}:1 2`, 'not "1 2"'],
    [`${a}:${most + 1n}`, `not "${most + 1n}"`],
    [`${a}:${'9'.repeat(400)}`, '9…"'],
    ['0-1-20', 'is no UUID'],
    ["' OR 1=1 --", 'is no UUID'],
  ])('refuses %j and says why', (text, message) => {
    expect(() => GtidSet.parse(text)).toThrow(InvalidPositionError);
    expect(() => GtidSet.parse(text)).toThrow(message);
  });

  test('refuses a text that is too long before it reads it', () => {
    expect(() => GtidSet.parse(`${a}:1`, 10)).toThrow('38 characters are too many; at most 10 are read');
  });

  test('reads and combines a hundred thousand gaps in the time of a glance', () => {
    const intervals = Array.from({ length: 100_000 }, (_, n) => `:${3 * n + 1}-${3 * n + 2}`).reverse();
    const began = performance.now();
    const set = GtidSet.parse(a + intervals.join(''));
    expect(set.union(GtidSet.parse(`${a}:1-300000`)).toString()).toBe(`${a}:1-300000`);
    expect(set.subtract(set).isEmpty).toBe(true);
    expect(GtidSet.parse(`${a}:1-299999`).subtract(set).toString().length).toBeGreaterThan(500_000);
    // About 0.2 s; a quadratic algorithm takes minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('a GtidSet', () => {
  const set = GtidSet.parse(`${a}:1-5:tag:2,${b}:3`);

  test('gives what came from one server, whatever its tag', () => {
    expect(set.from(a).toString()).toBe(`${a}:1-5:tag:2`);
    expect(set.from(b.toUpperCase()).toString()).toBe(`${b}:3`);
    expect(set.from('cccccccc-0000-1111-2222-333333333333').isEmpty).toBe(true);
  });

  test('keeps a tag apart from another, and from none', () => {
    expect(set.contains(GtidSet.parse(`${a}:tag:1`))).toBe(false);
    expect(set.contains(GtidSet.parse(`${a}:other:2`))).toBe(false);
    expect(set.subtract(GtidSet.parse(`${a}:2`)).toString()).toBe(`${a}:1:3-5:tag:2,${b}:3`);
  });

  test('is not changed by what is made from it', () => {
    set.union(GtidSet.parse(`${a}:9:tag:9`));
    set.subtract(GtidSet.parse(`${a}:1`));
    expect(set.toString()).toBe(`${a}:1-5:tag:2,${b}:3`);
  });

  test('cannot be combined with a position of MariaDB', () => {
    const list = GtidList.parse('0-1-20');
    for (const method of ['contains', 'union', 'subtract'] as const) {
      expect(() => set[method](list)).toThrow('a position of MariaDB cannot be compared with one of MySQL');
    }
  });
});

/** A set as sequence numbers per source, small enough to be worked out one by one. */
type Model = Record<string, number[]>;

const models = fc.dictionary(
  fc.constantFrom(a, b, `${a}:tag`, `${b}:x`),
  fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
);

const setOf = (model: Model): GtidSet =>
  GtidSet.parse(
    Object.entries(model)
      .filter(([, numbers]) => numbers.length > 0)
      .map(([source, numbers]) => `${source}:${numbers.join(':')}`)
      .join(','),
  );

const combine = (x: Model, y: Model, choose: (inX: boolean, inY: boolean) => boolean): Model =>
  Object.fromEntries(
    [...new Set([...Object.keys(x), ...Object.keys(y)])].map((source) => [
      source,
      Array.from({ length: 30 }, (_, n) => n + 1).filter((n) =>
        choose(x[source]?.includes(n) === true, y[source]?.includes(n) === true),
      ),
    ]),
  );

describe('the arithmetic of GtidSet', () => {
  test('agrees with that of single numbers', () => {
    fc.assert(
      fc.property(models, models, (x, y) => {
        const [left, right] = [setOf(x), setOf(y)];
        const difference = setOf(combine(x, y, (inX, inY) => inX && !inY));
        expect(left.union(right).toString()).toBe(setOf(combine(x, y, (inX, inY) => inX || inY)).toString());
        expect(left.subtract(right).toString()).toBe(difference.toString());
        expect(right.contains(left)).toBe(difference.isEmpty);
        expect(left.from(a).union(left.from(b)).toString()).toBe(left.toString());
      }),
    );
  });

  test('gives texts that read as the same set', () => {
    fc.assert(
      fc.property(models, (model) => {
        const text = setOf(model).toString();
        expect(GtidSet.parse(text).toString()).toBe(text);
      }),
    );
  });

  test('holds near the highest sequence number, where doubles are inexact', () => {
    const near = GtidSet.parse(`${a}:${most - 3n}-${most}`);
    expect(near.subtract(GtidSet.parse(`${a}:${most - 1n}`)).toString()).toBe(
      `${a}:${most - 3n}-${most - 2n}:${most}`,
    );
  });

  test('never throws anything else on any text', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[ab0-9:,\s-]{0,80}$/));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          GtidSet.parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPositionError);
        }
      }),
    );
  });
});
