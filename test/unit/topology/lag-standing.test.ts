import { describe, expect, test } from 'vitest';
import { afterLook, asTimePasses, type LagStanding } from '../../../src/topology/lag-standing.ts';

const limit = 1_000;
const unlimited = Number.POSITIVE_INFINITY;

function standingAfter(looks: readonly (number | undefined)[], start: LagStanding = { kind: 'new' }): string {
  return looks.reduce<LagStanding>((standing, lagMs) => afterLook(standing, lagMs, limit), start).kind;
}

const aside: LagStanding = { kind: 'aside', goodLooks: 0 };

describe('a look', () => {
  test.each<readonly [string, readonly (number | undefined)[], string]>([
    ['lets a new one in at once', [0], 'admitted'],
    ['lets a new one in up to the limit', [1_000], 'admitted'],
    ['keeps a new one out above it', [1_001], 'aside'],
    ['keeps a new one out that does not tell', [undefined], 'aside'],
    ['leaves one near the limit in', [0, 999, 1_000, 900], 'admitted'],
    ['puts one aside above the limit', [0, 1_001], 'aside'],
    ['leaves one that does not tell to time', [0, undefined], 'admitted'],
  ])('%s', (_, looks, kind) => {
    expect(standingAfter(looks)).toBe(kind);
  });

  test.each<readonly [string, readonly (number | undefined)[], string]>([
    ['one good look', [0], 'aside'],
    ['two good looks', [0, 799], 'admitted'],
    ['below the limit, and not below 0.8 of it', [999, 900, 800], 'aside'],
    ['a good look, one near the limit, a good one', [0, 850, 0], 'aside'],
    ['a good look, one that does not tell, a good one', [0, undefined, 0], 'aside'],
    ['two in a row after that', [0, undefined, 0, 0], 'admitted'],
  ])('brings one back that was aside: %s', (_, looks, kind) => {
    expect(standingAfter(looks, aside)).toBe(kind);
  });

  test('never puts one aside for its age where there is no limit', () => {
    expect(afterLook({ kind: 'new' }, 86_400_000, unlimited).kind).toBe('admitted');
  });
});

describe('time', () => {
  test.each<readonly [LagStanding['kind'], number | undefined, LagStanding['kind']]>([
    ['admitted', 1_000, 'admitted'],
    ['admitted', 1_001, 'aside'],
    ['admitted', undefined, 'aside'],
    ['new', undefined, 'new'],
    ['aside', 0, 'aside'],
  ])('makes of one that is %s and at most %s ms old: %s', (kind, atMostMs, then) => {
    const standing = kind === 'aside' ? aside : { kind };
    expect(asTimePasses(standing, atMostMs, limit).kind).toBe(then);
  });
});
