import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from '../../../src/resilience/deadline.ts';

const forEver = Number.POSITIVE_INFINITY;

describe('Deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('counts down', () => {
    const deadline = new Deadline(1_000);
    vi.advanceTimersByTime(400);
    expect(deadline.remainingMs()).toBe(600);
    expect(deadline.interruption()).toBeUndefined();
    vi.advanceTimersByTime(600);
    expect(deadline.interruption()).toBe('timeout');
  });

  it('sets no timer until somebody waits', () => {
    new Deadline(1_000, new AbortController().signal);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells a listener once, at the deadline', () => {
    const listener = vi.fn();
    new Deadline(1_000).onInterrupt(listener);
    vi.advanceTimersByTime(999);
    expect(listener).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5_000);
    expect(listener.mock.calls).toEqual([['timeout']]);
  });

  it('tells a listener early when that was asked for', () => {
    const listener = vi.fn();
    new Deadline(1_000).onInterrupt(listener, 300);
    vi.advanceTimersByTime(700);
    expect(listener.mock.calls).toEqual([['timeout']]);
  });

  it('tells a listener that comes late, but not before onInterrupt returns', () => {
    const deadline = new Deadline(10);
    vi.advanceTimersByTime(50);
    const listener = vi.fn();
    deadline.onInterrupt(listener);
    expect(listener).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(listener.mock.calls).toEqual([['timeout']]);
  });

  it('is silent after it was taken back', () => {
    const controller = new AbortController();
    const listener = vi.fn();
    new Deadline(1_000, controller.signal).onInterrupt(listener)();
    vi.advanceTimersByTime(5_000);
    controller.abort();
    expect(listener).not.toHaveBeenCalled();
  });

  it('tells of the signal at once and clears the timer', () => {
    const controller = new AbortController();
    const deadline = new Deadline(1_000, controller.signal);
    const listener = vi.fn();
    deadline.onInterrupt(listener);
    controller.abort();
    expect(listener.mock.calls).toEqual([['aborted']]);
    expect(deadline.interruption()).toBe('aborted');
  });

  it('tells of a signal that had fired before, but not before onInterrupt returns', async () => {
    const listener = vi.fn();
    new Deadline(1_000, AbortSignal.abort()).onInterrupt(listener);
    expect(listener).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(listener.mock.calls).toEqual([['aborted']]);
  });

  it('puts one listener on a signal that many wait on, and none when nobody does', () => {
    const { signal } = new AbortController();
    const cancels = Array.from({ length: 100 }, () => new Deadline(1_000, signal).onInterrupt(() => {}));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const cancel of cancels) cancel();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('tells every waiter of a signal although one of them takes another back', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const wait = (name: string, then: () => void = () => {}): (() => void) =>
      new Deadline(1_000, controller.signal).onInterrupt(() => {
        heard.push(name);
        then();
      });
    wait('first', () => cancelSecond());
    const cancelSecond = wait('second');
    wait('third');
    controller.abort();
    expect(heard).toEqual(['first', 'third']);
  });

  it('does nothing at all without a limit and a signal', () => {
    const deadline = new Deadline(forEver);
    deadline.onInterrupt(() => {})();
    expect(vi.getTimerCount()).toBe(0);
    expect(deadline.interruption()).toBeUndefined();
    expect(deadline.remainingMs()).toBe(forEver);
  });

  it('listens to the signal without a limit', () => {
    const controller = new AbortController();
    const listener = vi.fn();
    new Deadline(forEver, controller.signal).onInterrupt(listener);
    expect(vi.getTimerCount()).toBe(0);
    controller.abort();
    expect(listener.mock.calls).toEqual([['aborted']]);
  });

  it('sleeps as long as it was told', async () => {
    const sleep = new Deadline(1_000).sleep(100);
    await vi.advanceTimersByTimeAsync(100);
    await expect(sleep).resolves.toBeUndefined();
  });

  it('wakes up at the deadline and by the signal', async () => {
    const byTime = new Deadline(50).sleep(100);
    await vi.advanceTimersByTimeAsync(50);
    await expect(byTime).resolves.toBe('timeout');
    const controller = new AbortController();
    const bySignal = new Deadline(1_000, controller.signal).sleep(100);
    controller.abort();
    await expect(bySignal).resolves.toBe('aborted');
  });
});

describe('Deadline on the real clock', () => {
  it('never fires before its time, although timers of Node do', async () => {
    const early: number[] = [];
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const deadline = new Deadline(10 + index * 0.37);
        return new Promise<void>((resolve) => {
          deadline.onInterrupt(() => {
            if (deadline.remainingMs() > 0) early.push(deadline.remainingMs());
            resolve();
          });
        });
      }),
    );
    expect(early).toEqual([]);
  });
});
