import { describe, expect, test } from 'vitest';
import { PastPrimaries } from '../../../src/topology/past-primaries.ts';
import { factsOf, mariadb } from './servers.ts';

describe('past primaries', () => {
  const pasts = new PastPrimaries();
  pasts.add(factsOf(mariadb(1), 10));
  pasts.add(factsOf(mariadb(2), 20));
  pasts.add(factsOf(mariadb(1), 30));

  test('are each there once, in the last of their lives', () => {
    expect(pasts.of(mariadb(1))?.startedAtMs).toBe(30);
    expect(pasts.of(mariadb(2))?.startedAtMs).toBe(20);
    expect(pasts.of(mariadb(3))).toBeUndefined();
  });

  test('are given without the one that is the primary again', () => {
    expect(pasts.except(mariadb(1)).map(({ identity }) => identity.serverId)).toEqual([2]);
  });
});
