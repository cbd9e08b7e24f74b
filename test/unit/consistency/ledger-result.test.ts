import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { longestResultBytes, restoreResult, storeResult } from '../../../src/consistency/ledger-result.ts';

class Money {
  amount = 5;
}

const loop: Record<string, unknown> = { name: 'loop' };
loop.inner = [loop];

describe('storeResult', () => {
  it('keeps what JSON gives back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const stored = storeResult(value);
        if ('problem' in stored) throw new Error(stored.problem);
        expect(restoreResult(stored.json ?? null)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps nothing for nothing', () => {
    expect(storeResult(undefined)).toEqual({ json: undefined });
    expect(restoreResult(null)).toBeUndefined();
    expect(storeResult({ a: undefined })).toEqual({ json: '{}' });
    const twin = { id: 1 };
    expect(storeResult([twin, twin])).toEqual({ json: '[{"id":1},{"id":1}]' });
  });

  test.each<readonly [string, unknown, RegExp]>([
    ['a Date', { order: { at: new Date(0) } }, /has a Date at result\.order\.at/],
    ['a bigint', [1n], /has a bigint at result\[0\]/],
    ['NaN', Number.NaN, /has NaN at result/],
    ['infinity', { n: Number.NEGATIVE_INFINITY }, /has -Infinity at result\.n/],
    ['a Map', new Map(), /has a Map at result/],
    ['a Buffer', Buffer.from('x'), /has a Buffer at result/],
    ['an object of a class', new Money(), /has a Money at result/],
    [
      'what JSON leaves out',
      Object.defineProperty({}, 'id', { value: 1 }),
      /has result\.id, which JSON would leave out/,
    ],
    ['a function', { f: () => 1 }, /has a function at result\.f/],
    ['a symbol', Symbol('s'), /has a symbol at result/],
    ['undefined in a list', [undefined], /has a undefined at result\[0\]/],
    ['a loop', loop, /contains itself at result\.inner\[0\]/],
    ['too much', 'x'.repeat(longestResultBytes), /takes 65537 bytes of JSON/],
    ['too many bytes', 'ü'.repeat(32_767), /takes 65536 bytes/],
  ])('refuses %s', (_, result, problem) => {
    expect(storeResult(result)).toEqual({ problem: expect.stringMatching(problem) });
  });
});
