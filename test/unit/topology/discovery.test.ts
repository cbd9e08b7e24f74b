import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Discovery, type Resolve } from '../../../src/topology/discovery.ts';

describe('discovery', () => {
  let told: string[];
  let opened: Discovery[];

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    told = [];
    opened = [];
  });

  afterEach(() => {
    for (const discovery of opened) discovery.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  function discover(resolve: Resolve, refreshMs = 30_000): Discovery {
    const discovery = new Discovery({
      dns: 'replicas.test',
      refreshMs,
      resolve,
      onAddresses: (addresses) => told.push([...addresses].join(' ')),
      onFailed: (message) => told.push(`failed: ${message}`),
    });
    opened.push(discovery);
    discovery.start();
    return discovery;
  }

  /** Answers one after another, the last one again and again. */
  function answers(...list: readonly (readonly string[] | Error)[]): Resolve {
    let next = 0;
    return async () => {
      const answer = list[Math.min(next, list.length - 1)] ?? [];
      next += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    };
  }

  it('tells the addresses of the name, each once', async () => {
    discover(answers(['10.0.0.1', '10.0.0.2', '10.0.0.1']));
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['10.0.0.1 10.0.0.2']);
  });

  it('asks for the name itself', async () => {
    const names: string[] = [];
    discover(async (name) => {
      names.push(name);
      return ['10.0.0.1'];
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(names).toEqual(['replicas.test']);
  });

  it('resolves again after every interval', async () => {
    discover(answers(['10.0.0.1'], ['10.0.0.2']));
    await vi.advanceTimersByTimeAsync(29_999);
    expect(told).toEqual(['10.0.0.1']);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it.each([
    ['early', 0, 27_000],
    ['late', 1, 33_000],
  ])('is up to a tenth of the interval %s', async (_, random, atMs) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    discover(answers(['10.0.0.1'], ['10.0.0.2']));
    await vi.advanceTimersByTimeAsync(atMs - 1);
    expect(told).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toHaveLength(2);
  });

  it('is pending until the first answer', async () => {
    const discovery = discover(answers(['10.0.0.1']));
    expect(discovery.pending).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(discovery.pending).toBe(false);
  });

  it('is no longer pending when the first look-up has failed', async () => {
    const discovery = discover(answers(new Error('ENOTFOUND')));
    await vi.advanceTimersByTimeAsync(0);
    expect(discovery.pending).toBe(false);
    expect(told).toEqual(['failed: ENOTFOUND']);
  });

  it('takes an empty answer for a failure', async () => {
    discover(answers([]));
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['failed: replicas.test has no addresses']);
  });

  it('tries again after 1, 2 and 4 s, then at its interval', async () => {
    discover(answers(new Error('x')), 5_000);
    await vi.advanceTimersByTimeAsync(0);
    for (const [afterMs, failures] of [
      [1_000, 2],
      [2_000, 3],
      [4_000, 4],
      [5_000, 5],
      [5_000, 6],
    ] as const) {
      await vi.advanceTimersByTimeAsync(afterMs - 1);
      expect(told).toHaveLength(failures - 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(told).toHaveLength(failures);
    }
  });

  it('returns to its interval once the name resolves', async () => {
    discover(answers(new Error('x'), ['10.0.0.1'], ['10.0.0.2']));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['failed: x', '10.0.0.1']);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(told).toHaveLength(2);
  });

  it('tells nothing after it was stopped during a look-up', async () => {
    let answer = (_: readonly string[]): void => {};
    const discovery = discover(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    discovery.stop();
    answer(['10.0.0.1']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([]);
  });

  it('resolves as the machine does when nothing is injected', async () => {
    vi.useRealTimers();
    const addresses = await new Promise<ReadonlySet<string>>((resolve, reject) => {
      const discovery = new Discovery({
        dns: 'localhost',
        refreshMs: 30_000,
        onAddresses: resolve,
        onFailed: (message) => reject(new Error(message)),
      });
      opened.push(discovery);
      discovery.start();
    });
    for (const discovery of opened.splice(0)) discovery.stop();
    vi.useFakeTimers();
    expect([...addresses].some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  });
});
