import { describe, expect, test } from 'vitest';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { type AgeingTarget, searchAmong } from '../../../src/routing/read-search.ts';

const at = 1_000;

/** A server that said 0 ms at that time; `undefined`: it has said nothing. */
function target(name: string, saidAt: number | undefined): AgeingTarget {
  return {
    name,
    weight: 1,
    zone: undefined,
    inFlight: 0,
    upSince: 0,
    latencyMs: () => 0,
    read: () => Promise.reject(new Error('not here')),
    lag: { atMostMs: (now) => saidAt && now - saidAt },
  };
}

const [fresh, old, silent] = [target('fresh', 900), target('old', 100), target('silent', undefined)];
const deadline = new Deadline(1_000);

describe('the search for a server', () => {
  test.each<readonly [number | undefined, readonly AgeingTarget[]]>([
    [undefined, []],
    [1, [fresh, old, silent]],
    [99, [fresh, old, silent]],
    [100, [old, silent]],
    [900, [silent]],
    [86_400_000, [silent]],
  ])('within %s ms leaves out what may be older, and what has not told', (maxLagMs, left) => {
    const search = searchAmong([fresh, old, silent], [], { deadline, need: undefined, maxLagMs }, at);
    expect(search.tooOld).toEqual(left);
    expect(search.excluded).toEqual(left);
  });

  test('leaves out what was tried, too', () => {
    const limits = { deadline, need: undefined, maxLagMs: 100 };
    const search = searchAmong([fresh, old], [fresh], limits, at);
    expect(search).toMatchObject({ tried: [fresh], tooOld: [old], excluded: [fresh, old] });
  });
});
