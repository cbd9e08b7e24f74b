import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptPayload, pack, seal, unpack, unseal } from '../../../src/cache/codec.ts';
import { copyOf } from '../../../src/cache/exact-values.ts';

const roundTrip = async (value: unknown, compressBytes = 0): Promise<unknown> => {
  const packed = pack(value);
  if (packed === undefined) throw new Error('not exact');
  return unpack(unseal(await seal(packed, compressBytes)));
};

const text = fc.string({ unit: 'binary' }).filter((value) => !/\p{Surrogate}/u.test(value));

const scalar = fc.oneof(
  fc.constantFrom(null, undefined, true, false, 0, -0, Number.NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53)),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
  text,
  fc.date({ noInvalidDate: false }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('list'), tie('object'), tie('rows')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  object: fc
    .dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 6, noNullPrototype: true },
    )
    .map((entries) => ({ ...entries })),
  rows: fc
    .array(fc.tuple(scalar, scalar, scalar), { maxLength: 8 })
    .map((rows) => rows.map(([id, name, at]) => ({ id, name, at }))),
}));

/** Every object in it. */
function changeable(part: unknown): readonly unknown[] {
  if (typeof part !== 'object' || part === null) return [];
  return [part, ...Object.values(part).flatMap(changeable)];
}

describe('the codec', () => {
  test('gives every value back as it was, large or small', async () => {
    await fc.assert(
      fc.asyncProperty(value, fc.constantFrom(0, 1), async (original, compressBytes) => {
        expect(await roundTrip(original, compressBytes)).toStrictEqual(original);
      }),
      { numRuns: 1_500 },
    );
  });

  test('a copy of what it keeps is the same, and shares nothing that could be changed', async () => {
    await fc.assert(
      fc.property(value, (original) => {
        const copy = copyOf(original);
        expect(copy).toStrictEqual(original);
        expect(changeable(copy).filter((part) => changeable(original).includes(part))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
    const bytes = Buffer.from('abc');
    copyOf([bytes])[0]?.fill(0);
    expect(bytes.toString()).toBe('abc');
  });

  test.each([
    ['an invalid Date', new Date(Number.NaN)],
    ['the first and the last Date', [new Date(-8.64e15), new Date(8.64e15), new Date(-1)]],
    ['DECIMAL text', ['0.10', '-00.000', '12345678901234567890.123']],
    ['negative zeros, anywhere', { a: -0, b: [0, -0, { c: -0 }] }],
    ['an empty Buffer', [Buffer.alloc(0), { bytes: Buffer.alloc(0) }]],
    ['a bigint that fits a number', [1n, -1n, 0n, 2n ** 63n, -(2n ** 64n), 10n ** 60n]],
    ['keys that are no names', { '': 1, 'a-b': 2, 0: 3, constructor: 4, toString: 5, 'é\n': 6 }],
    ['nothing', undefined],
    ['the same row thirty times', Array.from({ length: 30 }, (_, id) => ({ id, price: '1.00', tags: null }))],
  ])('keeps %s', async (_, original) => {
    const found = await roundTrip(original);
    expect(found).toStrictEqual(original);
    expect(Object.is(JSON.stringify(found, replacer), JSON.stringify(original, replacer))).toBe(true);
  });

  test('a Buffer does not share memory with the payload', async () => {
    const payload = await seal(pack([Buffer.from('abc')]) as Buffer, 0);
    const [bytes] = unpack(unseal(payload)) as Buffer[];
    payload.fill(0);
    expect(bytes?.toString()).toBe('abc');
  });

  test.each([
    ['an instance of a class', new (class Price {})()],
    ['a Map', new Map()],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a symbol as key', { [Symbol('s')]: 1 }],
    ['a typed array', new Uint8Array(3)],
    ['an array with a hole', Object.assign([], { 1: 1 })],
    ['an array with a property', Object.assign([1], { more: 1 })],
    ['half a surrogate pair', ['\ud800']],
    ['a key that would become a prototype', JSON.parse('{"__proto__": {"admin": true}}')],
    ['an object without a prototype', Object.create(null)],
    ['a circle', circle()],
    ['a getter that throws', Object.defineProperty({}, 'a', { enumerable: true, get: thrower })],
  ])('does not take %s, deep inside either', (_, inexact) => {
    expect(pack(inexact)).toBeUndefined();
    expect(pack([{ a: [inexact] }])).toBeUndefined();
  });

  test('compresses what that makes smaller', async () => {
    const packed = pack('a'.repeat(100_000)) as Buffer;
    expect((await seal(packed, 1_000)).length).toBeLessThan(1_000);
    expect((await seal(packed, 0)).length).toBeGreaterThan(100_000);
    expect((await seal(packed, 200_000)).length).toBeGreaterThan(100_000);
  });

  test('takes any bytes for a value or for damage, and touches no prototype', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString'];
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      // Maps and records with the keys that pollute, and parts of real values with bytes changed.
      fc
        .tuple(fc.constantFrom(...names), fc.constantFrom(...names))
        .map(([a, b]) =>
          Buffer.concat([
            Buffer.of(0x91, 0x81, 0xa0 + a.length),
            Buffer.from(a),
            Buffer.of(0x81, 0xa0 + b.length),
            Buffer.from(b),
            Buffer.of(0xc3),
          ]),
        ),
      fc
        .tuple(fc.constantFrom(...names), fc.constantFrom(...names))
        .map(([a, b]) => pack([{ polluted_a: { polluted_b: 1 } }, a, b]) as Buffer)
        .map((bytes) =>
          Buffer.from(bytes.toString('latin1').replaceAll('polluted_a', '__proto__\x01'), 'latin1'),
        ),
      fc
        .tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 }))
        .map(([original, changes]) => {
          const bytes = Buffer.from(pack(original) ?? Buffer.of(0xc0));
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          return bytes;
        }),
    );
    const before = names.map((name) => Object.getOwnPropertyDescriptor(Object.prototype, name));
    const keys = Reflect.ownKeys(Object.prototype).length;
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), hostile, (form, bytes) => {
        try {
          unpack(unseal(Buffer.concat([Buffer.of(form), bytes])));
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptPayload);
        }
        expect(({} as Record<string, unknown>).polluted_b).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
    expect(names.map((name) => Object.getOwnPropertyDescriptor(Object.prototype, name))).toEqual(before);
    expect(Reflect.ownKeys(Object.prototype)).toHaveLength(keys);
  });

  test.each([
    ['a path through a prototype', [[1], [['__proto__', 'polluted']]]],
    ['a path that leads nowhere', [[1], [[5]]]],
    ['a path to what is no zero', [[1], [[0]]]],
    ['paths that are none', [[1], 'paths']],
  ])('refuses %s', (_, holder) => {
    const packed = pack(holder) as Buffer;
    // The holder of a packed value is a list of one: without its first byte the value stands for the holder.
    expect(() => unpack(packed.subarray(1))).toThrow(CorruptPayload);
  });
});

function replacer(_: string, part: unknown): unknown {
  if (typeof part === 'bigint') return `${part}n`;
  return Object.is(part, -0) ? '-0' : part;
}

function circle(): object {
  const around: { self?: object } = {};
  around.self = around;
  return around;
}

function thrower(): never {
  throw new Error('no');
}
