import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StoredHit, Trip } from '../../../src/cache/cached-value.ts';
import { Copies } from '../../../src/cache/copies.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const tripTo = (name: string, { tags = [] as string[], what = 'w', era = 'e' } = {}): Trip => ({
  era,
  names: [name, ...tags],
  request: { what } as Trip['request'],
});

const hitOf = (bytes: number): StoredHit => {
  const payload = Buffer.alloc(bytes, 7);
  const filled = { by: 'l', proof: 'p', proven: '', freshUntil: 1e9, loadMs: 1, payload };
  return { value: { bytes }, packed: payload, proven: '', filled };
};

const now = (copies: Copies) => ({ at: performance.now(), round: copies.round });

describe('copies', () => {
  test('are found for as long as they may be, from when the store was asked', () => {
    const copies = new Copies(50, 1e6);
    const asked = now(copies);
    vi.advanceTimersByTime(30);
    copies.take(tripTo('a'), hitOf(10), asked);
    vi.advanceTimersByTime(19);
    expect(copies.find(tripTo('a'))?.value).toEqual({ bytes: 10 });
    vi.advanceTimersByTime(1);
    expect(copies.find(tripTo('a'))).toBeUndefined();
  });

  test('are of one value, judged by the same tags, in one era', () => {
    const copies = new Copies(50, 1e6);
    copies.take(tripTo('a', { tags: ['t'] }), hitOf(10), now(copies));
    expect(copies.find(tripTo('a', { tags: ['t'] }))).toBeDefined();
    for (const other of [{}, { tags: ['u'] }, { tags: ['t', 'u'] }]) {
      expect(copies.find(tripTo('a', other))).toBeUndefined();
    }
    expect(copies.find(tripTo('a', { tags: ['t'], what: 'v' }))).toBeUndefined();
    expect(copies.find(tripTo('a', { tags: ['t'], era: 'f' }))).toBeUndefined();
  });

  test('make room for others, the oldest and those that have ended first', () => {
    const copies = new Copies(50, 5_000);
    for (const name of ['a', 'b', 'c']) copies.take(tripTo(name), hitOf(900), now(copies));
    expect(copies.size).toBe(2);
    expect(copies.find(tripTo('a'))).toBeUndefined();
    expect(copies.bytes).toBeLessThanOrEqual(5_000);
    vi.advanceTimersByTime(50);
    copies.take(tripTo('d'), hitOf(10), now(copies));
    expect(copies.size).toBe(1);
    copies.take(tripTo('e'), hitOf(6_000), now(copies));
    expect(copies.find(tripTo('e'))).toBeUndefined();
  });

  test('that were asked for before all were dropped are not taken', () => {
    const copies = new Copies(50, 1e6);
    const asked = now(copies);
    copies.take(tripTo('a'), hitOf(10), asked);
    copies.clear();
    expect([copies.size, copies.bytes]).toEqual([0, 0]);
    copies.take(tripTo('a'), hitOf(10), asked);
    expect(copies.find(tripTo('a'))).toBeUndefined();
  });
});
