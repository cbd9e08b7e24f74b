import { describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import type { PositionVendor } from '../../../src/consistency/position.ts';
import type { Identity } from '../../../src/pool/identity.ts';
import type { Received } from '../../../src/topology/master-look.ts';
import { StaleWrites } from '../../../src/topology/stale-writes.ts';
import { mariadb, mysql, uuid } from './servers.ts';

const openedAt = 10_000;

interface Step {
  /** Seconds after the epoch has opened. */
  readonly at: number;
  /** What the primary has executed. */
  readonly has?: string;
  readonly received?: readonly string[];
  readonly connected?: boolean;
  /** What the past primary has, by a look at itself. */
  readonly past?: string;
  /** How many seconds that look took; default 0. */
  readonly took?: number;
}

function run(vendor: PositionVendor, past: Identity, steps: readonly Step[]): string[] {
  const writes = new StaleWrites(openedAt, [past]);
  return steps.flatMap(({ at, has, received, connected = false, past: pastHas, took = 0 }) => {
    const askedAt = openedAt + at * 1_000;
    if (pastHas !== undefined) {
      const answeredAt = askedAt + took * 1_000;
      writes.lookAtPast(past, {
        askedAt,
        answeredAt,
        writable: false,
        position: parsePosition(vendor, pastHas),
      });
    }
    if (has === undefined) return [];
    const fetched: Received | undefined = received && {
      positions: received.map((text) => parsePosition(vendor, text)),
      connected,
    };
    const look = { askedAt, answeredAt: askedAt, writable: true, position: parsePosition(vendor, has) };
    return writes.look(look, fetched).map(({ positions, after }) => `${positions} after ${after} at ${at}`);
  });
}

describe('transactions of a past primary on MariaDB', () => {
  test.each<[string, readonly Step[], string[]]>([
    [
      'that were there',
      [
        { at: 0, has: '1-1-5', received: [] },
        { at: 5, has: '1-1-5,2-2-9' },
      ],
      [],
    ],
    [
      'that arrive late',
      [
        { at: 0, has: '1-1-5', received: [] },
        { at: 5, has: '1-1-7' },
      ],
      ['1-1-7 after 1-1-5 at 5'],
    ],
    [
      'that arrive late, once each',
      [
        { at: 0, has: '1-1-5', received: [] },
        { at: 5, has: '1-1-7' },
        { at: 6, has: '1-1-7' },
        { at: 7, has: '1-1-8' },
      ],
      ['1-1-7 after 1-1-5 at 5', '1-1-8 after 1-1-7 at 7'],
    ],
    [
      'that had been fetched and were not applied',
      [
        { at: 0, has: '1-1-5', received: ['1-1-7'] },
        { at: 50, has: '1-1-7' },
        { at: 51, has: '1-1-8' },
      ],
      ['1-1-8 after 1-1-7 at 51'],
    ],
    [
      'that had been fetched, in a domain where another server wrote last',
      [
        { at: 0, has: '0-1-5', received: ['0-2-8'] },
        { at: 5, has: '0-1-7,0-2-8' },
      ],
      [],
    ],
    [
      'that follow what had been fetched, of several domains',
      [
        { at: 0, has: '1-1-5,2-2-3', received: ['1-1-7,2-2-3'] },
        { at: 5, has: '1-1-8,2-2-3' },
      ],
      ['1-1-8 after 1-1-7 at 5'],
    ],
    [
      'that had been fetched over one of two channels',
      [
        { at: 0, has: '1-1-5', received: ['3-3-9', '1-1-7'] },
        { at: 5, has: '1-1-7' },
      ],
      [],
    ],
    [
      'that follow within two seconds over replication that was never cut',
      [
        { at: 0, has: '1-1-5', received: ['1-1-5'], connected: true },
        { at: 1.5, has: '1-1-6', received: ['1-1-7'], connected: true },
        { at: 3, has: '1-1-7' },
      ],
      [],
    ],
    [
      'that follow within two seconds over replication that had been cut',
      [
        { at: 0, has: '1-1-5', received: ['1-1-5'] },
        { at: 1.5, has: '1-1-6' },
      ],
      ['1-1-6 after 1-1-5 at 1.5'],
    ],
    [
      'that follow after more than two seconds',
      [
        { at: 0, has: '1-1-5', received: ['1-1-5'], connected: true },
        { at: 2.5, has: '1-1-6' },
      ],
      ['1-1-6 after 1-1-5 at 2.5'],
    ],
    [
      'that it had written by then, as it says itself',
      [
        { at: 0, has: '1-1-5', received: ['1-1-5'], past: '1-1-9' },
        { at: 60, has: '1-1-9' },
        { at: 61, has: '1-1-10' },
      ],
      ['1-1-10 after 1-1-9 at 61'],
    ],
    [
      'that it has written since, at once where it was looked at',
      [
        { at: 0, has: '1-1-5', received: ['1-1-5'], connected: true, past: '1-1-5' },
        { at: 1, has: '1-1-6' },
      ],
      ['1-1-6 after 1-1-5 at 1'],
    ],
    [
      'that it has written since, although its later looks show them',
      [
        { at: 0, has: '1-1-5', received: [], past: '1-1-5' },
        { at: 1, past: '1-1-6' },
        { at: 3, has: '1-1-6' },
      ],
      ['1-1-6 after 1-1-5 at 3'],
    ],
    [
      'that it shows only later, when it was asked again',
      [
        { at: 0, has: '1-1-5', received: [] },
        { at: 2, past: '1-1-6' },
        { at: 3, has: '1-1-6' },
      ],
      ['1-1-6 after 1-1-5 at 3'],
    ],
    [
      'that it has written since, although a look that was under way when it froze shows them',
      [
        { at: 0, has: '1-1-5', received: [] },
        { at: 0.5, past: '1-1-6', took: 8 },
        { at: 9, has: '1-1-6' },
      ],
      ['1-1-6 after 1-1-5 at 9'],
    ],
    [
      'with nothing known of what was fetched',
      [
        { at: 0, has: '1-1-5' },
        { at: 5, has: '1-1-7' },
      ],
      [],
    ],
    [
      'seen before the epoch had opened',
      [
        { at: -1, has: '1-1-5', received: [] },
        { at: 0, has: '1-1-7', received: [] },
      ],
      [],
    ],
    [
      'of a server that had written nothing',
      [
        { at: 0, has: '', received: [] },
        { at: 5, has: '1-1-1' },
      ],
      ['1-1-1 after  at 5'],
    ],
  ])('%s', (_, steps, expected) => {
    expect(run('mariadb', mariadb(1), steps)).toEqual(expected);
  });
});

describe('transactions of a past primary on MySQL', () => {
  const [one, two] = [uuid(1), uuid(2)];
  test.each<[string, readonly Step[], string[]]>([
    [
      'that arrive late',
      [
        { at: 0, has: `${one}:1-5`, received: [] },
        { at: 5, has: `${one}:1-7,${two}:1-3` },
      ],
      [`${one}:6-7 after ${one}:1-5 at 5`],
    ],
    [
      'that had been fetched and were not applied',
      [
        { at: 0, has: `${one}:1-5`, received: [`${one}:4-7`] },
        { at: 50, has: `${one}:1-8` },
      ],
      [`${one}:8 after ${one}:1-7 at 50`],
    ],
    [
      'that fill a gap',
      [
        { at: 0, has: `${one}:1-5:8`, received: [] },
        { at: 5, has: `${one}:1-8` },
      ],
      [`${one}:6-7 after ${one}:1-5:8 at 5`],
    ],
  ])('%s', (_, steps, expected) => {
    expect(run('mysql', mysql(1), steps)).toEqual(expected);
  });
});

describe('what the look at the primary has to tell', () => {
  const look = (at: number) => ({
    askedAt: openedAt + at,
    answeredAt: openedAt + at,
    writable: true,
    position: parsePosition('mariadb', '1-1-5'),
  });

  test('is what was fetched too, at first and for two seconds while replication goes on', () => {
    const writes = new StaleWrites(openedAt, [mariadb(1)]);
    expect(writes.wantsReceived(openedAt + 60_000)).toBe(true);
    writes.look(look(0), { positions: [], connected: true });
    expect(writes.wantsReceived(openedAt + 1_900)).toBe(true);
    expect(writes.wantsReceived(openedAt + 2_000)).toBe(false);
  });

  test('is what was fetched too, at first only where replication was cut', () => {
    const writes = new StaleWrites(openedAt, [mariadb(1)]);
    writes.look(look(0), { positions: [], connected: false });
    expect(writes.wantsReceived(openedAt + 1)).toBe(false);
  });

  test('is nothing more in the first epoch', () => {
    const writes = new StaleWrites(openedAt, []);
    expect(writes.wantsReceived(openedAt)).toBe(false);
    expect(writes.look(look(0), undefined)).toEqual([]);
  });
});
