import { describe, expect, test } from 'vitest';
import { eagerGapMs, nextProbeGapMs, type ProbeSituation } from '../../../src/topology/probe-pace.ts';

/** Probes that begin within `forMs` at an address where each one takes `eachMs`, on a clock that ticks every 50 ms. */
function probesBegun(forMs: number, eachMs: number, heartbeatMs = 500): number {
  const ends: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (let now = 0; now < forMs; now += 50) {
    const underWay = ends.filter((end) => end > now).length;
    if (now - last < nextProbeGapMs({ heartbeatMs, underWay, silentMs: never, lookingMs: now })) continue;
    last = now;
    count += 1;
    ends.push(now + eachMs);
  }
  return count;
}

/** Nobody has greeted. */
const never = Number.POSITIVE_INFINITY;

describe('the gap between two probes', () => {
  test.each<[string, ProbeSituation, number]>([
    [
      'a quarter of the heartbeat at first',
      { heartbeatMs: 500, underWay: 0, silentMs: never, lookingMs: 0 },
      125,
    ],
    [
      'half of it while one is under way',
      { heartbeatMs: 500, underWay: 1, silentMs: never, lookingMs: 0 },
      250,
    ],
    ['half of it after 5 s', { heartbeatMs: 500, underWay: 0, silentMs: never, lookingMs: 5_000 }, 250],
    [
      'half of it while 3 wait for a greeting',
      { heartbeatMs: 500, underWay: 3, silentMs: never, lookingMs: 600 },
      250,
    ],
    [
      'a second while 4 wait for one',
      { heartbeatMs: 500, underWay: 4, silentMs: never, lookingMs: 3_000 },
      1_000,
    ],
    ['3 s while a login goes on', { heartbeatMs: 500, underWay: 1, silentMs: 499, lookingMs: 600 }, 3_000],
    [
      'half of it when that has stopped',
      { heartbeatMs: 500, underWay: 1, silentMs: 500, lookingMs: 600 },
      250,
    ],
    ['less with a shorter heartbeat', { heartbeatMs: 100, underWay: 0, silentMs: never, lookingMs: 0 }, 25],
  ])('is %s', (_, situation, gapMs) => {
    expect(nextProbeGapMs(situation)).toBe(gapMs);
  });
});

describe('an outage of 10 s', () => {
  test.each([
    ['refuses at once', 1, 60],
    ['answers nobody for 500 ms', 500, 41],
    ['greets nobody', Number.POSITIVE_INFINITY, 14],
  ])('at an address that %s costs no more probes than it should', (_, eachMs, most) => {
    const begun = probesBegun(10_000, eachMs);
    expect(begun).toBeLessThanOrEqual(most);
    expect(begun).toBeGreaterThan(most * 0.8);
  });
});

test('a probe out of turn comes at most twice a heartbeat', () => {
  expect([eagerGapMs(500), eagerGapMs(40)]).toEqual([250, 20]);
});
