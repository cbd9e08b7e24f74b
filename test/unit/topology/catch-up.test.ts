import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import { CatchUp, type CaughtUp } from '../../../src/topology/catch-up.ts';
import type { Epoch } from '../../../src/topology/epoch.ts';
import { PositionTracking } from '../../../src/topology/position-tracking.ts';

const catchUpMs = 500;
const epoch = { server: 'vip = b', facts: { vendor: 'mariadb' } } as unknown as Epoch;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** The server's answers by the time at which it is asked; an `Error` is a refusal. */
type Answers = (atMs: number) => string | Error | undefined | Promise<never>;

function setUp(answers: Answers, acknowledged: readonly string[] = ['0-1-7']) {
  const events = new ClusterEmitter();
  const unavailable: string[] = [];
  events.on('positions:unavailable', ({ reason }) => unavailable.push(reason));
  const tracking = new PositionTracking(events, true);
  const listener = tracking.listener('vip = a', { ...epoch.facts, withoutPositions: undefined });
  for (const position of acknowledged) listener.onPosition(position);
  const results: CaughtUp[] = [];
  const life = new AbortController();
  let asked = 0;
  let underWay = 0;
  let mostUnderWay = 0;
  const began = performance.now();
  const ask = async (): Promise<Record<string, unknown> | undefined> => {
    asked += 1;
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    try {
      const answer = await answers(performance.now() - began);
      if (answer instanceof Error) throw answer;
      return answer === undefined ? undefined : { logged: answer, applied: '' };
    } finally {
      underWay -= 1;
    }
  };
  const catchUp = new CatchUp({ catchUpMs, tracking, ask });
  catchUp.run(epoch, life.signal, (result) => results.push(result));
  return { tracking, listener, unavailable, results, life, asked: () => asked, most: () => mostUnderWay };
}

describe('a new primary', () => {
  test('opens at once when nothing was acknowledged', () => {
    const { results, asked } = setUp(() => '', []);
    expect(results).toEqual([{ missing: undefined, waitedMs: 0 }]);
    expect(asked()).toBe(0);
  });

  test('opens after one question when it has everything', async () => {
    const { results, asked, tracking } = setUp(() => '0-1-7,0-2-1');
    await vi.advanceTimersByTimeAsync(0);
    expect(results).toEqual([{ missing: undefined, waitedMs: 0 }]);
    expect(asked()).toBe(1);
    expect(tracking.acknowledged.isEmpty).toBe(false);
  });

  test('opens as soon as it has everything, and is asked one question at a time', async () => {
    const { results, most } = setUp((atMs) => (atMs < 150 ? '0-1-6' : '0-1-7'));
    await vi.advanceTimersByTimeAsync(140);
    expect(results).toEqual([]);
    await vi.advanceTimersByTimeAsync(60);
    expect(results).toMatchObject([{ missing: undefined }]);
    expect(most()).toBe(1);
  });

  test('opens after the time with what it lacks, which is not asked for again', async () => {
    const { results, tracking } = setUp(() => '0-1-6,1-1-1', ['0-1-7', '1-1-1']);
    await vi.advanceTimersByTimeAsync(catchUpMs - 30);
    expect(results).toEqual([]);
    await vi.advanceTimersByTimeAsync(60);
    expect(results).toMatchObject([{ missing: '0-1-7' }]);
    expect(results[0]?.waitedMs).toBeGreaterThanOrEqual(catchUpMs);
    expect(tracking.acknowledged.position('mariadb').toString()).toBe('1-1-1');
  });

  test('stays closed while the line to it is broken, however long', async () => {
    const { results } = setUp((atMs) => (atMs < 10 * catchUpMs ? undefined : '0-1-7'));
    await vi.advanceTimersByTimeAsync(9 * catchUpMs);
    expect(results).toEqual([]);
    await vi.advanceTimersByTimeAsync(2 * catchUpMs);
    expect(results).toMatchObject([{ missing: undefined }]);
  });

  test('that refuses to tell opens after the time, and that is told', async () => {
    const { results, unavailable } = setUp(() => new Error('no such variable'));
    await vi.advanceTimersByTimeAsync(catchUpMs + 30);
    expect(results).toMatchObject([{ missing: undefined }]);
    expect(unavailable).toEqual(['it does not tell what it holds: Error: no such variable']);
  });

  test('that gives a senseless answer is one that refuses', async () => {
    const { results, unavailable } = setUp(() => 'nonsense');
    await vi.advanceTimersByTimeAsync(catchUpMs + 30);
    expect(results).toMatchObject([{ missing: undefined }]);
    expect(unavailable).toHaveLength(1);
  });

  test('that gives way to another is asked nothing more, and does not open', async () => {
    const { results, life, asked, tracking } = setUp(() => '0-1-6');
    await vi.advanceTimersByTimeAsync(100);
    life.abort();
    const before = asked();
    await vi.advanceTimersByTimeAsync(10 * catchUpMs);
    expect(asked()).toBe(before);
    expect(results).toEqual([]);
    expect(tracking.acknowledged.position('mariadb').toString()).toBe('0-1-7');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that gives way while it is asked does not open by a late answer', async () => {
    let answer: (held: never) => void = () => {};
    const { results, life } = setUp(() => new Promise((resolve) => (answer = resolve)));
    await vi.advanceTimersByTimeAsync(100);
    life.abort();
    answer('0-1-7' as never);
    await vi.advanceTimersByTimeAsync(1);
    expect(results).toEqual([]);
  });
});

describe('writes without a position', () => {
  test('are told of once, when the next primary cannot be asked', () => {
    const { listener, unavailable, tracking } = setUp(() => '', []);
    listener.onCommitWithoutPosition();
    expect(unavailable).toEqual([]);
    tracking.notAsked();
    tracking.notAsked();
    expect(unavailable).toEqual(['its answers to writes carried none']);
  });

  test('prove nothing when others have one', () => {
    const { listener, unavailable, tracking } = setUp(() => '', []);
    listener.onCommitWithoutPosition();
    listener.onPosition('0-1-7');
    listener.onCommitWithoutPosition();
    tracking.notAsked();
    expect(unavailable).toEqual([]);
  });

  test('are told of at once where the reason is known', () => {
    const { tracking, unavailable } = setUp(() => '', []);
    const off = tracking.listener('vip = a', { ...epoch.facts, withoutPositions: 'its binary log is off' });
    off.onCommitWithoutPosition();
    off.onCommitWithoutPosition();
    expect(unavailable).toEqual(['its binary log is off']);
  });
});
