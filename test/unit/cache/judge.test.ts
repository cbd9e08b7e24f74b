import { describe, expect, test } from 'vitest';
import { servable } from '../../../src/cache/judge.ts';
import type { SeenRecord } from '../../../src/cache/store.ts';

const payload = Buffer.from('x');
const filled = { by: 'l', proof: 'what,t1', proven: '', freshUntil: 100, payload };
const entry: SeenRecord = { era: 'e', gen: 'g', isPending: false, filled };
const tag: SeenRecord = { era: 'e', gen: 't1', isPending: false, filled: undefined };
const wanted = { era: 'e', what: 'what', now: 99 };

describe('a value', () => {
  test('is served while it is fresh, and neither it nor its tag has changed', () => {
    expect(servable([entry, tag], wanted)).toBe(filled);
  });

  test.each<[string, readonly (SeenRecord | undefined)[], object]>([
    ['that is not there', [undefined, tag], {}],
    ['that was dropped', [{ ...entry, filled: undefined }, tag], {}],
    ['that has expired', [entry, tag], { now: 100 }],
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
