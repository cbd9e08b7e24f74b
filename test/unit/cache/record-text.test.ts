import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRecord } from '../../../src/cache/stores/record-text.ts';

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

test('never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readRecord(Buffer.from(bytes));
      readRecord(Buffer.concat([Buffer.from(head), Buffer.from(bytes)]));
    }),
  );
});
