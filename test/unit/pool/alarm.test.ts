import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Alarm } from '../../../src/pool/alarm.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Sets the alarm; the list tells when it rang, in milliseconds from now. */
function ringsOf(alarm: Alarm, ...dueInMs: readonly number[]): number[] {
  const began = performance.now();
  const rings: number[] = [];
  for (const ms of dueInMs) alarm.set(began + ms, () => rings.push(performance.now() - began));
  return rings;
}

describe('Alarm', () => {
  test.each([
    ['once, when it is due', [50], [50]],
    ['at the last time that was set, when that is later', [50, 80], [80]],
    ['at the last time that was set, when that is sooner', [80, 50], [50]],
    ['at the last of many', [50, 80, 20, 60], [60]],
    ['soon, when that time has passed', [-5], [1]],
  ])('rings %s', (_, due, expected) => {
    const rings = ringsOf(new Alarm(), ...due);
    vi.advanceTimersByTime(1_000);
    expect(rings).toEqual(expected);
  });

  test('does not ring when it was taken back, and can be set again', () => {
    const alarm = new Alarm();
    const first = ringsOf(alarm, 50);
    alarm.clear();
    vi.advanceTimersByTime(30);
    const second = ringsOf(alarm, 40);
    vi.advanceTimersByTime(1_000);
    expect([first, second]).toEqual([[], [40]]);
  });

  test('needs one timer, however often it is set for later and taken back', () => {
    const alarm = new Alarm();
    let timers = 0;
    const fake = globalThis.setTimeout;
    vi.stubGlobal('setTimeout', (...args: Parameters<typeof setTimeout>) => {
      timers += 1;
      return fake(...args);
    });
    for (let i = 0; i < 100; i += 1) {
      ringsOf(alarm, 500);
      vi.advanceTimersByTime(1);
      alarm.clear();
    }
    vi.unstubAllGlobals();
    expect(timers).toBe(1);
  });

  test('may set itself again as it rings', () => {
    const alarm = new Alarm();
    const began = performance.now();
    const rings: number[] = [];
    const ring = (): void => {
      rings.push(performance.now() - began);
      if (rings.length < 3) alarm.set(performance.now() + 10, ring);
    };
    alarm.set(began + 10, ring);
    vi.advanceTimersByTime(1_000);
    expect(rings).toEqual([10, 20, 30]);
  });

  test('leaves no timer behind when it is stopped, and works afterwards', () => {
    const alarm = new Alarm();
    const first = ringsOf(alarm, 50);
    alarm.stop();
    expect(vi.getTimerCount()).toBe(0);
    const second = ringsOf(alarm, 60);
    vi.advanceTimersByTime(1_000);
    expect([first, second]).toEqual([[], [60]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not ring before a time that no timer can hold', () => {
    const rings = ringsOf(new Alarm(), 2 ** 31);
    vi.advanceTimersByTime(1_000);
    expect(rings).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the process', () => {
  test('is kept alive by an alarm only while it is set', () => {
    vi.useRealTimers();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const alarm = new Alarm();
    alarm.set(performance.now() + 60_000, () => {});
    expect(timers()).toBe(before + 1);
    alarm.clear();
    expect(timers()).toBe(before);
    alarm.set(performance.now() + 90_000, () => {});
    expect(timers()).toBe(before + 1);
    alarm.stop();
    expect(timers()).toBe(before);
  });
});
