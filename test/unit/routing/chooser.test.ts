import { describe, expect, it } from 'vitest';
import { createChooser } from '../../../src/routing/chooser.ts';
import { randomChoice } from '../../../src/routing/random.ts';
import { candidate, shares, surroundings } from './candidates.ts';

describe('createChooser', () => {
  it.each([
    ['all, when no zone is preferred', undefined, ['a1', 'a2', 'b1', 'none']],
    ['those of the preferred zone', 'a', ['a1', 'a2']],
    ['the only one of the preferred zone', 'b', ['b1']],
    ['all, when the preferred zone has none', 'c', ['a1', 'a2', 'b1', 'none']],
  ])('chooses among %s', (_, zone, expected) => {
    const servers = [
      candidate('a1', { zone: 'a' }),
      candidate('a2', { zone: 'a' }),
      candidate('b1', { zone: 'b' }),
      candidate('none'),
    ];
    const choose = createChooser(servers, { ...surroundings(), policy: randomChoice, zone });
    expect(Object.keys(shares(choose ?? fail)).sort()).toEqual(expected);
  });

  it('returns no chooser for no candidates', () => {
    expect(createChooser([], { ...surroundings(), policy: randomChoice, zone: 'a' })).toBeUndefined();
  });

  it('asks no policy when there is only one candidate', () => {
    const choose = createChooser([candidate('only')], { ...surroundings(), policy: fail, zone: undefined });
    expect(choose?.().name).toBe('only');
  });
});

function fail(): never {
  throw new Error('not expected to be called');
}
