import { describe, expect, test } from 'vitest';
import { type FaultSummary, summarise } from '../../chaos/fault-table.ts';
import { renderPeerTable } from '../../chaos/peer-table.ts';

function summary(fault: string, facts: Partial<FaultSummary> = {}): FaultSummary {
  return { ...summarise([]), fault, runs: 1, ...facts };
}

/** The cells of the last line, its client left out. */
function cells(table: string): (string | undefined)[] {
  return (
    table
      .split('\n')
      .at(-1)
      ?.split('|')
      .slice(2, -1)
      .map((cell) => cell.trim()) ?? []
  );
}

describe('clients side by side', () => {
  test.each([
    ['one run', [1_234.4], '1234 ms'],
    ['several runs', [40, 20, 30], 'median 30 ms, worst 40 ms'],
    ['a client that never wrote again', [Number.POSITIVE_INFINITY], 'none within 10 s'],
    ['a client that wrote when nobody waited any more', [10_001], 'none within 10 s'],
    [
      'one of three that never wrote again',
      [20, Number.POSITIVE_INFINITY, 10],
      'median 20 ms, worst none within 10 s',
    ],
    ['a fault that the prober did not notice', [], 'no outage seen'],
  ])('%s', (_, addedMs, shown) => {
    const table = renderPeerTable([{ client: 'Knex', summary: summary('a fault', { addedMs }) }]);
    expect(cells(table)).toEqual([`${shown} [0 / 0]`]);
  });

  test('errors, hung operations and what must not happen are counted', () => {
    const facts = {
      addedMs: [5],
      errors: new Map([
        ['A', 2],
        ['B', 3],
      ]),
      hung: 4,
      writesOnOldPrimary: 6,
    };
    const table = renderPeerTable([{ client: 'Knex', summary: summary('a fault', facts) }]);
    expect(cells(table)).toEqual(['5 ms [5 / 4]<br>**6 writes on the old primary**']);
  });

  test('a cell without a run says so', () => {
    const table = renderPeerTable([
      { client: 'Knex', summary: summary('one') },
      { client: 'vipsql', summary: summary('other', { addedMs: [1] }) },
    ]);
    expect(cells(table)).toEqual(['not measured', '1 ms [0 / 0]']);
  });
});
