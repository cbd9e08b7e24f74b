import { describe, expect, test } from 'vitest';
import type { Operation } from '../../chaos/history.ts';
import { addedOutages, findOutages } from '../../chaos/outages.ts';
import type { ServerRows } from '../../chaos/tables.ts';
import type { VipSighting } from '../../containers/vip-prober.ts';

function seen(at: number, state: VipSighting['state'], server?: 'a' | 'b'): VipSighting {
  return { begunAt: at - 5, at, state, ...(server === undefined ? {} : { server }) };
}

function write(id: string, endedAt: number): Operation {
  const facts = { worker: 0, touches: [], startedAt: endedAt - 2, deadlineMs: 10_000 };
  return { id, kind: 'event', ...facts, endedAt, ending: { state: 'acknowledged', epoch: 1 } };
}

function added(
  sightings: readonly VipSighting[],
  writes: readonly (readonly [at: number, server: number])[],
): unknown {
  const operations = writes.map(([at]) => write(`at ${at}`, at));
  const rows: ServerRows = {
    server: 'b',
    events: writes.map(([at, server]) => ({ id: `at ${at}`, server })),
    legs: [],
    counters: new Map(),
    balances: new Map(),
    keys: new Set(),
  };
  const history = { operations, stalls: [], notices: [], crashes: [] };
  return addedOutages(findOutages(sightings), history, rows).map(({ addedMs }) => addedMs);
}

describe('outages of the VIP', () => {
  test('last from the first login that failed until the first that met a writable server', () => {
    const sightings = [
      seen(100, 'writable', 'a'),
      seen(205, 'refused'),
      seen(405, 'silent'),
      seen(700, 'read-only', 'b'),
      seen(800, 'writable', 'b'),
    ];
    expect(findOutages(sightings)).toEqual([{ from: 200, to: 800, server: 'b', moved: true }]);
  });

  test('are none before the first writable server and after the last', () => {
    expect(findOutages([seen(5, 'refused'), seen(100, 'writable', 'a'), seen(200, 'silent')])).toEqual([]);
  });

  test('include a move without a gap', () => {
    expect(findOutages([seen(100, 'writable', 'a'), seen(205, 'writable', 'b')])).toEqual([
      { from: 200, to: 205, server: 'b', moved: true },
    ]);
  });
});

describe("the client's own part of an outage", () => {
  const moved = [seen(100, 'writable', 'a'), seen(205, 'refused'), seen(800, 'writable', 'b')];
  const same = [seen(100, 'writable', 'a'), seen(205, 'refused'), seen(800, 'writable', 'a')];

  test('ends with the first write that the new server has acknowledged', () => {
    expect(
      added(moved, [
        [850, 2],
        [900, 2],
      ]),
    ).toEqual([50]);
  });

  test('does not end with a write that the old server executed', () => {
    expect(
      added(moved, [
        [820, 1],
        [900, 2],
      ]),
    ).toEqual([100]);
  });

  test('is nothing when a write is earlier than the prober', () => {
    expect(added(moved, [[795, 2]])).toEqual([0]);
  });

  test('does not end with an answer from before an outage of the same server', () => {
    expect(
      added(same, [
        [210, 1],
        [830, 1],
      ]),
    ).toEqual([30]);
  });

  test('is unknown without a write', () => {
    expect(added(moved, [[150, 1]])).toEqual([undefined]);
  });
});
