import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CacheRecord } from '../../../src/cache/record.ts';
import { readRecord, readWholeRecord, writeRecord } from '../../../src/cache/stores/record-text.ts';

const head = '2\nera\ngen\n?\n\n\n0\n';

test('a record without a value', () => {
  expect(readRecord(Buffer.from(head))).toEqual({
    era: 'era',
    gen: 'gen',
    isPending: false,
    filled: undefined,
  });
});

test('a record with one, and a mark', () => {
  const raw = Buffer.from('2\nera\ngen\n0-1-2\nid@12,\n\n0\nby\nproof\n0-1-2\n1234\n56\npay\nload');
  const payload = Buffer.from('pay\nload');
  expect(readRecord(raw)).toEqual({
    era: 'era',
    gen: 'gen',
    isPending: true,
    filled: { by: 'by', proof: 'proof', proven: '0-1-2', freshUntil: 1_234, loadMs: 56, payload },
  });
});

test.each([
  ['another form', head.replace('2', '1')],
  ['too few lines', '2\nera\n'],
  ['nothing', ''],
  ['half a value', `${head}by\nproof`],
  ['no time', `${head}by\nproof\n\nsoon\n5\nx`],
  ['no time of a load', `${head}by\nproof\n\n1234\nlong\nx`],
])('%s is no record', (_, raw) => {
  expect(readRecord(Buffer.from(raw))).toBeUndefined();
});

const line = fc.string({
  unit: fc.constantFrom(...'abcXYZ019-_:.,?{}'),
  maxLength: 40,
});
const id = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.'), minLength: 1, maxLength: 12 });
const time = fc.integer({ min: 0, max: 2 ** 45 });
const anyRecord: fc.Arbitrary<CacheRecord> = fc.record({
  era: line,
  gen: line,
  fence: line,
  marks: fc.array(fc.tuple(id, time), { maxLength: 5 }).map((marks) => new Map(marks)),
  lease: fc.option(fc.record({ id, until: time }), { nil: undefined }),
  filled: fc.option(
    fc.record({
      by: line,
      proof: line,
      proven: line,
      freshUntil: time,
      loadMs: time,
      payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    }),
    { nil: undefined },
  ),
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const raw = writeRecord(record);
      const { era, gen, filled, marks } = record;
      expect(readWholeRecord(raw)).toEqual(record);
      expect(readRecord(raw)).toEqual({ era, gen, filled, isPending: marks.size > 0 });
    }),
  );
});

test('what is written is what the scripts of the Redis store write', () => {
  const raw = '2\nera\ngen\n0-1-2\na@12,b@13,\nlease\n14\nby\nproof\n0-1-2\n1234\n56\npay\nload';
  const record = readWholeRecord(Buffer.from(raw));
  expect(record).toMatchObject({ fence: '0-1-2', lease: { id: 'lease', until: 14 } });
  expect(record?.marks).toEqual(
    new Map([
      ['a', 12],
      ['b', 13],
    ]),
  );
  expect(writeRecord(record as CacheRecord).toString()).toBe(raw);
});

test('times are rounded up', () => {
  const marks = new Map([['m', 1.2]]);
  const record = { era: '', gen: '', fence: '', marks, lease: { id: 'l', until: 2.5 }, filled: undefined };
  expect(readWholeRecord(writeRecord(record))).toMatchObject({ lease: { until: 3 } });
  expect(readWholeRecord(writeRecord(record))?.marks.get('m')).toBe(2);
});

test('a record is whole, however many marks it has', () => {
  const marks = new Map(Array.from({ length: 2_000 }, (_, index) => [`mark-${index}`, 1e12 + index]));
  const record = { era: 'e', gen: 'g', fence: '?', marks, lease: undefined, filled: undefined };
  expect(readWholeRecord(writeRecord(record))).toEqual(record);
});

test('never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readRecord(Buffer.from(bytes));
      readRecord(Buffer.concat([Buffer.from(head), Buffer.from(bytes)]));
      readWholeRecord(Buffer.from(bytes));
      readWholeRecord(Buffer.concat([Buffer.from(head), Buffer.from(bytes)]));
    }),
  );
});
