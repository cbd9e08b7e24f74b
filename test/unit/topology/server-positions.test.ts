import { beforeEach, describe, expect, it } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { Failed } from '../../../src/resilience/failed.ts';
import { ServerPositions } from '../../../src/topology/server-positions.ts';

type Row = Record<string, unknown>;

const at = (sequence: number): GtidList => GtidList.parse(`1-1-${sequence}`);
const soon = (): Deadline => new Deadline(5_000);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what a server is known to have', () => {
  let asked: { text: string; answer: (sequence: number) => void; fail: (error: unknown) => void }[];
  let positions: ServerPositions;

  const row = (sequence: number): Row => ({
    logged: `1-1-${sequence}`,
    lastLogged: `1-1-${sequence}`,
    mayHoldBack: 0,
    replicated: `1-1-${sequence}`,
  });

  function create(isPrimary = false): ServerPositions {
    return new ServerPositions({
      vendor: 'mariadb',
      version: '10.11.19-MariaDB',
      serverId: 3,
      isPrimary,
      ask: (text) =>
        new Promise<Row | undefined>((resolve, reject) => {
          asked.push({ text, answer: (sequence) => resolve(row(sequence)), fail: reject });
        }),
    });
  }

  beforeEach(() => {
    asked = [];
    positions = create();
  });

  it('is nothing at first, and what was heard afterwards', () => {
    expect(positions.holds(at(1))).toBe(false);
    positions.learn(row(5), 10);
    expect(positions.holds(at(5))).toBe(true);
    expect(positions.holds(at(6))).toBe(false);
  });

  it('does not go back when answers overtake each other', () => {
    positions.learn(row(7), 20);
    positions.learn(row(5), 10);
    expect(positions.holds(at(7))).toBe(true);
    expect(positions.atMostSince(20)?.toString()).toBe('1-1-7');
  });

  it('says what was seen at most only for the time up to the question', () => {
    positions.learn(row(5), 10);
    expect(positions.atMostSince(10)?.toString()).toBe('1-1-5');
    expect(positions.atMostSince(11)).toBeUndefined();
  });

  it('is of no use for a position of another vendor', async () => {
    positions.learn(row(5), 10);
    const { GtidSet } = await import('../../../src/consistency/gtid-set.ts');
    const foreign = GtidSet.parse('3e11fa47-71ca-11e1-9e33-c80aa9429562:1');
    expect(positions.holds(foreign)).toBe(false);
    expect(await positions.reach(foreign, soon())).toBe(false);
    expect(asked).toHaveLength(0);
  });

  it('is waited for with one statement, however many wait', async () => {
    const all = Promise.all([7, 7, 6, 7].map((sequence) => positions.reach(at(sequence), soon())));
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]?.answer(7);
    expect(await all).toEqual([true, true, true, true]);
    expect(asked).toHaveLength(1);
  });

  it('is waited for in the order in which it comes', async () => {
    const late = positions.reach(at(9), soon());
    const early = positions.reach(at(6), soon());
    await turn();
    expect(asked[0]?.text).toContain("MASTER_GTID_WAIT('1-1-6', 0.050)");
    asked[0]?.answer(6);
    expect(await early).toBe(true);
    await turn();
    expect(asked[1]?.text).toContain("MASTER_GTID_WAIT('1-1-9'");
    asked[1]?.answer(9);
    expect(await late).toBe(true);
  });

  it('is waited for without what is there already, which may never arrive', async () => {
    positions.learn({ ...row(5), logged: '1-1-5,3-3-8', lastLogged: '1-1-5,3-3-8' }, 10);
    const wanted = GtidList.parse('1-1-6,3-3-8');
    const reached = positions.reach(wanted, soon());
    await turn();
    expect(asked[0]?.text).toContain("MASTER_GTID_WAIT('1-1-6',");
    asked[0]?.answer(6);
    expect(await reached).toBe(true);
  });

  it('is asked without a wait when somebody wants to hear it', async () => {
    const reached = positions.reach(at(9), soon());
    const heard = positions.since(performance.now(), soon());
    await turn();
    expect(asked[0]?.text).not.toContain('MASTER_GTID_WAIT');
    asked[0]?.answer(9);
    expect((await heard)?.toString()).toBe('1-1-9');
    expect(await reached).toBe(true);
  });

  it('is heard together by all who came before the question went out', async () => {
    const first = positions.since(performance.now(), soon());
    const second = positions.since(performance.now(), soon());
    await turn();
    asked[0]?.answer(5);
    expect(await Promise.all([first, second])).toHaveLength(2);
    expect(asked).toHaveLength(1);
  });

  it('is asked again for one who came after the question had gone out', async () => {
    const first = positions.since(performance.now(), soon());
    await turn();
    const second = positions.since(performance.now(), soon());
    asked[0]?.answer(5);
    expect((await first)?.toString()).toBe('1-1-5');
    await turn();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(6);
    expect((await second)?.toString()).toBe('1-1-6');
  });

  it('is not reached at the deadline, and asked no more when nobody waits', async () => {
    const reached = positions.reach(at(9), new Deadline(30));
    await turn();
    expect(await reached).toBe(false);
    asked[0]?.answer(5);
    await turn();
    await turn();
    expect(asked).toHaveLength(1);
  });

  it('is not reached when the signal fires', async () => {
    const left = new AbortController();
    const reached = positions.reach(at(9), new Deadline(5_000, left.signal));
    await turn();
    left.abort();
    expect(await reached).toBe(false);
  });

  it('is given up at once when the server does not understand the question', async () => {
    const reached = positions.reach(at(9), soon());
    await turn();
    asked[0]?.fail(
      new Failed({
        kind: 'sql',
        outcome: 'not-executed',
        message: 'Unknown system variable',
        cause: undefined,
        connection: 'keep',
      }),
    );
    expect(await reached).toBe(false);
  });

  it('is given up at once when the server does not tell', async () => {
    const reached = positions.reach(at(9), soon());
    positions.learn({ ...row(9), logged: 'nonsense' }, performance.now());
    expect(await reached).toBe(false);
  });

  it('is asked again after a broken line', async () => {
    const reached = positions.reach(at(5), soon());
    await turn();
    asked[0]?.fail(new Error('lost'));
    await expect.poll(() => asked.length).toBe(2);
    asked[1]?.answer(5);
    expect(await reached).toBe(true);
  });

  it('is nothing any more once its life is over', async () => {
    const reached = positions.reach(at(9), soon());
    positions.close();
    expect(await reached).toBe(false);
    expect(await positions.since(performance.now(), soon())).toBeUndefined();
    positions.learn(row(9), performance.now());
    expect(positions.holds(at(9))).toBe(false);
  });

  it('is asked of a primary again and again, which cannot wait for its own writes', async () => {
    positions = create(true);
    const reached = positions.reach(at(9), soon());
    await turn();
    expect(asked[0]?.text).not.toContain('MASTER_GTID_WAIT');
    asked[0]?.answer(8);
    await expect.poll(() => asked.length).toBe(2);
    asked[1]?.answer(9);
    expect(await reached).toBe(true);
  });

  it('counts what a primary has logged, where replicas have to prove that reads see it', () => {
    const limbo = { logged: '3-3-8', lastLogged: '3-3-8', mayHoldBack: 1, replicated: '' };
    positions.learn(limbo, 10);
    expect(positions.holds(GtidList.parse('3-3-8'))).toBe(false);
    const primary = create(true);
    primary.learn(limbo, 10);
    expect(primary.holds(GtidList.parse('3-3-8'))).toBe(true);
  });
});
