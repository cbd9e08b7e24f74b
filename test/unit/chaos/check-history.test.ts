import { describe, expect, test } from 'vitest';
import { checkHistory, type Verdict } from '../../chaos/check-history.ts';
import { type Ending, type History, type Operation, tornRead } from '../../chaos/history.ts';
import { type Finding, isClean, violations } from '../../chaos/report.ts';
import type { ServerRows } from '../../chaos/tables.ts';

const acknowledged: Ending = { state: 'acknowledged', epoch: 1 };
const inDoubt = failed('unknown');

function failed(outcome: 'unknown' | 'not-executed' | 'rolled-back' | 'executed'): Ending {
  return { state: 'failed', code: 'CODE', outcome, message: 'why', epoch: 1 };
}

function operation(id: string, ending: Ending, more: Partial<Operation> = {}): Operation {
  const facts = { worker: 0, touches: [], startedAt: 1_000, endedAt: 1_010, deadlineMs: 10_000 };
  return { id, kind: 'event', ...facts, ending, ...more };
}

function transfer(id: string, ending: Ending): Operation {
  return operation(id, ending, { kind: 'transfer', touches: ['1', '2'] });
}

function keyed(id: string, key: string, ending: Ending): Operation {
  return operation(id, ending, { kind: 'keyed-transfer', key, touches: ['1', '2'] });
}

/** The answer to a repeat of a key. */
function doneBy(id: string): Ending {
  return { state: 'acknowledged', epoch: undefined, doneBy: id };
}

function rows(facts: Partial<ServerRows> & { events?: ServerRows['events'] } = {}): ServerRows {
  return {
    server: 'b',
    events: [],
    legs: [],
    counters: new Map(),
    balances: new Map(),
    keys: new Set(),
    ...facts,
  };
}

function events(...ids: readonly string[]): ServerRows['events'] {
  return ids.map((id) => ({ id, server: 2 }));
}

function legs(id: string, ...numbers: readonly number[]): ServerRows['legs'] {
  return numbers.map((leg) => ({ id, leg, account: leg, amount: leg === 1 ? -5 : 5, server: 2 }));
}

function check(
  operations: readonly Operation[],
  primary: ServerRows,
  { others = [], history = {} }: { others?: readonly ServerRows[]; history?: Partial<History> } = {},
): Verdict {
  return checkHistory({
    history: { operations, stalls: [], notices: [], crashes: [], ...history },
    primary,
    others,
  });
}

/** The kinds of violation that were found, and no others. */
function found(verdict: Verdict): Finding[] {
  return [...violations(verdict).keys()];
}

describe('a history that is as it should be', () => {
  test('has nothing to report but errors and doubts', () => {
    const verdict = check(
      [
        operation('kept', acknowledged),
        operation('refused', failed('not-executed')),
        operation('doubt-done', inDoubt),
        operation('doubt-not-done', inDoubt),
        operation('never-answered', { state: 'pending' }),
        transfer('moved', acknowledged),
      ],
      rows({
        events: events('kept', 'doubt-done'),
        legs: legs('moved', 1, 2),
        balances: new Map([
          ['1', -5],
          ['2', 5],
        ]),
      }),
    );
    expect(found(verdict)).toEqual([]);
    expect(isClean(verdict)).toBe(true);
    expect(verdict.acknowledgedWrites).toBe(2);
    expect(verdict.inDoubt.map(({ operation: { id }, was }) => [id, was])).toEqual([
      ['doubt-done', 'executed'],
      ['doubt-not-done', 'not-executed'],
      ['never-answered', 'not-executed'],
    ]);
    expect([...verdict.errors]).toEqual([
      ['CODE (not-executed)', 1],
      ['CODE (unknown)', 2],
      ['no answer', 1],
    ]);
  });
});

describe('a doctored history', () => {
  test('shows an acknowledged write that the primary has not, also where another server has it', () => {
    const verdict = check([operation('gone', acknowledged)], rows(), {
      others: [rows({ server: 'a', events: events('gone') })],
    });
    expect(verdict.lost.map(({ id }) => id)).toEqual(['gone']);
    expect(found(verdict)).toEqual(['lost', 'diverged']);
  });

  test('shows an acknowledged transaction that is missing', () => {
    expect(found(check([transfer('gone', acknowledged)], rows()))).toEqual(['lost']);
  });

  test.each([
    ['acknowledged', acknowledged],
    ['in doubt', inDoubt],
  ])('shows a write executed twice that is %s', (_, ending) => {
    const verdict = check([operation('twice', ending)], rows({ events: events('twice', 'twice') }));
    expect(verdict.duplicates).toEqual([{ id: 'twice', times: 2 }]);
    expect(found(verdict)).toEqual(['duplicates']);
  });

  test('shows a write executed twice that only another server has twice', () => {
    const verdict = check([operation('twice', acknowledged)], rows({ events: events('twice') }), {
      others: [rows({ server: 'a', events: events('twice', 'twice') })],
    });
    expect(verdict.duplicates).toEqual([{ id: 'twice', times: 2 }]);
  });

  test('shows a transaction executed twice', () => {
    const verdict = check(
      [transfer('twice', acknowledged)],
      rows({ legs: [...legs('twice', 1, 2), ...legs('twice', 1, 2)] }),
    );
    expect(found(verdict)).toEqual(['duplicates']);
  });

  test.each(['not-executed', 'rolled-back'] as const)(
    'shows a write reported as %s that is there',
    (outcome) => {
      const verdict = check([operation('there', failed(outcome))], rows({ events: events('there') }));
      expect(verdict.misreported.map(({ id }) => id)).toEqual(['there']);
      expect(found(verdict)).toEqual(['misreported']);
    },
  );

  test('does not take a write reported as executed for one without effect', () => {
    expect(found(check([operation('there', failed('executed'))], rows({ events: events('there') })))).toEqual(
      [],
    );
  });

  test.each([
    ['the second half', [1]],
    ['the first half', [2]],
    ['one half of a repetition', [1, 2, 1]],
  ])('shows a transaction that lacks %s', (_, present) => {
    const verdict = check([transfer('half', inDoubt)], rows({ legs: legs('half', ...present) }));
    expect(verdict.torn).toEqual([{ id: 'half', server: 'b' }]);
  });

  test('shows rows that a replica has and the primary has not, and the other way round', () => {
    const writes = [operation('one', inDoubt), operation('other', acknowledged)];
    const verdict = check(writes, rows({ events: events('other') }), {
      others: [rows({ server: 'r1', events: events('one') })],
    });
    expect(verdict.diverged).toEqual([
      { id: 'one', server: 'r1' },
      { id: 'other', server: 'r1' },
    ]);
    expect(found(verdict)).toEqual(['diverged']);
  });

  test('shows rows that no operation has made', () => {
    expect(found(check([], rows({ events: events('strange') })))).toEqual(['unexplained']);
  });

  test('shows failed replica reads, torn reads, crashes and operations over their deadline', () => {
    const verdict = check(
      [
        operation('read', failed('not-executed'), { kind: 'replica-read' }),
        operation('slow', inDoubt, { endedAt: 11_600 }),
        operation(
          'half',
          { state: 'failed', code: tornRead, outcome: 'executed', message: '', epoch: 1 },
          { kind: 'primary-read' },
        ),
        operation('unlucky', failed('not-executed'), { kind: 'primary-read' }),
      ],
      rows(),
      { history: { crashes: ['Error: nobody caught me'] } },
    );
    expect(found(verdict)).toEqual(['overDeadline', 'failedReads', 'tornReads', 'crashes']);
    expect(verdict.failedReads.map(({ id }) => id)).toEqual(['read']);
    expect(verdict.overDeadline.map(({ id }) => id)).toEqual(['slow']);
  });
});

describe('exactly once', () => {
  const held = rows({ legs: legs('first', 1, 2), keys: new Set(['k']) });
  const first = keyed('first', 'k', acknowledged);

  test('a repeat of a key that is given the first result is as it should be, and counted', () => {
    const verdict = check([first, keyed('second', 'k', doneBy('first'))], held);
    expect(found(verdict)).toEqual([]);
    expect(verdict.doneBefore).toBe(1);
  });

  test('a call in doubt is no finding, whether it did the transaction or another call with its key', () => {
    const operations = [
      keyed('first', 'k', inDoubt),
      keyed('second', 'k', doneBy('first')),
      keyed('third', 'k', inDoubt),
    ];
    const verdict = check(operations, held);
    expect(found(verdict)).toEqual([]);
    expect(verdict.inDoubt.map(({ was }) => was)).toEqual(['executed', 'not-executed']);
  });

  test('what the client has found out about COMMITs without an answer is counted', () => {
    const notice = { worker: 0, at: 1_000, name: 'commit:resolved', detail: '{}' };
    expect(check([first], held, { history: { notices: [notice] } }).resolved).toBe(1);
  });

  test.each([
    ['both acknowledged', acknowledged],
    ['the second in doubt', inDoubt],
  ])('two calls with one key that were both executed are shown, %s', (_, ending) => {
    const both = rows({ ...held, legs: [...legs('first', 1, 2), ...legs('second', 1, 2)] });
    const verdict = check([first, keyed('second', 'k', ending)], both);
    expect(verdict.duplicates).toEqual([{ id: 'k', times: 2 }]);
    expect(found(verdict)).toEqual(['duplicates']);
  });

  test('a call that was told that it was the first, and has no rows, is lost', () => {
    const verdict = check([first, keyed('second', 'k', acknowledged)], held);
    expect(verdict.lost.map(({ id }) => id)).toEqual(['second']);
  });

  test('a call that failed without effect, and has rows, is misreported', () => {
    expect(found(check([keyed('first', 'k', failed('rolled-back'))], held))).toEqual(['misreported']);
  });

  test.each([
    ['by a call that has no rows', keyed('first', 'k', inDoubt), rows({ keys: new Set(['k']) }), 'first'],
    ['and whose key is not in the ledger', first, rows({ legs: legs('first', 1, 2) }), 'first'],
    ['by a call with another key', keyed('first', 'other', acknowledged), held, 'first'],
    ['by nobody', first, held, 'stranger'],
    ['by itself', first, held, 'second'],
  ])('a repeat that was told that it had been done before %s', (_, other, primary, by) => {
    const verdict = check([other, keyed('second', 'k', doneBy(by))], primary);
    expect(verdict.falselyDone.map(({ id }) => id)).toEqual(['second']);
    expect(found(verdict)).toEqual(['falselyDone']);
  });

  test('a transaction without a key that was executed again is shown', () => {
    const once = operation('once', acknowledged, { kind: 'once-transfer' });
    const twice = rows({ legs: [...legs('once', 1, 2), ...legs('once', 1, 2)] });
    expect(found(check([once], twice))).toEqual(['duplicates']);
  });
});

describe('deadlines', () => {
  const slow = operation('slow', inDoubt, { endedAt: 11_600 });
  const none = operation('none', { state: 'pending' }, { endedAt: 1_000_000, deadlineMs: undefined });

  test('a process that could not run is not blamed for that time', () => {
    const stalls = [{ worker: 0, from: 10_900, to: 11_550 }];
    expect(check([slow], rows(), { history: { stalls } }).overDeadline).toEqual([]);
  });

  test.each([
    ['of another process', { worker: 1, from: 10_000, to: 12_000 }],
    ['before the operation', { worker: 0, from: 0, to: 1_000 }],
    ['too short', { worker: 0, from: 11_000, to: 11_050 }],
  ])('a stall %s excuses nothing', (_, stall) => {
    expect(check([slow], rows(), { history: { stalls: [stall] } }).overDeadline).toEqual([slow]);
  });

  test('a client that promises none is over none', () => {
    expect(check([none], rows()).overDeadline).toEqual([]);
  });
});

describe('sums', () => {
  const counters = (n: number): ServerRows => rows({ counters: new Map([['c1', n]]) });
  const added = (ending: Ending, id = 'add'): Operation =>
    operation(id, ending, { kind: 'counter', touches: ['c1'] });

  test.each([
    ['adds up', [acknowledged, acknowledged], 2, true],
    ['is too low', [acknowledged, acknowledged], 1, false],
    ['is too high', [acknowledged], 2, false],
    ['is higher by what is in doubt', [acknowledged, inDoubt], 2, true],
    ['is higher than even that', [acknowledged, inDoubt], 3, false],
    ['counts what had no effect', [acknowledged, failed('not-executed')], 2, false],
  ])('a counter that %s', (_, endings, n, fits) => {
    const writes = endings.map((ending, index) => added(ending, `add-${index}`));
    expect(check(writes, counters(n)).drifted.length === 0).toBe(fits);
  });

  test('a balance that its rows do not explain is shown, unless one of them was in doubt', () => {
    const held = rows({
      legs: legs('moved', 1, 2),
      balances: new Map([
        ['1', -5],
        ['2', 10],
      ]),
    });
    expect(check([transfer('moved', acknowledged)], held).drifted).toEqual([
      { name: 'account 2', is: 10, atLeast: 5, atMost: 5 },
    ]);
    expect(check([transfer('moved', inDoubt)], held).drifted).toEqual([]);
  });
});
