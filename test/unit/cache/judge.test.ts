import { describe, expect, test } from 'vitest';
import { refreshDue, servable } from '../../../src/cache/judge.ts';
import type { SeenRecord } from '../../../src/cache/store.ts';

const payload = Buffer.from('x');
const filled = { by: 'l', proof: 'what,t1', proven: '', freshUntil: 100, loadMs: 10, payload };
const entry: SeenRecord = { era: 'e', gen: 'g', isPending: false, filled };
const tag: SeenRecord = { era: 'e', gen: 't1', isPending: false, filled: undefined };
const wanted = { era: 'e', what: 'what', now: 99, staleMs: 0 };

describe('a value', () => {
  test('is served while it is fresh, and neither it nor its tag has changed', () => {
    expect(servable([entry, tag], wanted)).toBe(filled);
  });

  test('is served once it has expired, for as long as the reader takes that', () => {
    expect(servable([entry, tag], { ...wanted, now: 149, staleMs: 50 })).toBe(filled);
  });

  test('that was invalidated is not served, however stale it may be', () => {
    const moved = { ...tag, gen: 't2' };
    expect(servable([entry, moved], { ...wanted, now: 149, staleMs: 50 })).toBeUndefined();
  });

  test.each<[string, readonly (SeenRecord | undefined)[], object]>([
    ['that is not there', [undefined, tag], {}],
    ['that was dropped', [{ ...entry, filled: undefined }, tag], {}],
    ['that has expired', [entry, tag], { now: 100 }],
    ['that has expired too long ago', [entry, tag], { now: 150, staleMs: 50 }],
    ['of another era', [{ ...entry, era: 'f' }, tag], {}],
    ['that is another one', [entry, tag], { what: 'else' }],
    ['whose invalidation is pending', [{ ...entry, isPending: true }, tag], {}],
    ['whose tag was invalidated', [entry, { ...tag, gen: 't2' }], {}],
    ['whose tag is gone', [entry, undefined], {}],
    ['whose tag is of another era', [entry, { ...tag, era: 'f' }], {}],
    ['whose tag has an invalidation pending', [entry, { ...tag, isPending: true }], {}],
    ['that was stored with tags, to who knows of none', [entry], {}],
    ['that was stored with fewer tags', [entry, tag, tag], {}],
  ])('%s is not', (_, records, change) => {
    expect(servable(records, { ...wanted, ...change })).toBeUndefined();
  });
});

describe('a value that is served is loaded again', () => {
  test.each<[string, object, ReturnType<typeof refreshDue>]>([
    ['not while it has long to live', { now: 0, chance: 0.5 }, undefined],
    ['before it expires, where chance will have it', { now: 60, chance: 0.01 }, 'early'],
    ['the more likely, the nearer that is', { now: 95, chance: 0.5 }, 'early'],
    ['the earlier, the more eager the reader is', { now: 60, chance: 0.5, earlyRefresh: 10 }, 'early'],
    ['never before, if it is not to be', { now: 99, chance: 0, earlyRefresh: 0 }, undefined],
    ['once it has expired, in any case', { now: 100, chance: 1, earlyRefresh: 0 }, 'expired'],
  ])('%s', (_, ageing, due) => {
    expect(refreshDue(filled, { now: 0, chance: 1, earlyRefresh: 1, ...ageing })).toBe(due);
  });
});
