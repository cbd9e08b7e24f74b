import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WriteHold } from '../../../src/topology/write-hold.ts';

describe('a hold on writes', () => {
  let told: string[];
  let hold: WriteHold;

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    hold = new WriteHold({ onBegin: () => told.push('begin'), onEnd: () => told.push('end') });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('lasts as long as it was asked for, and says why', () => {
    hold.hold('two of them', 10_000);
    expect(hold.reason).toBe('two of them');
    vi.advanceTimersByTime(9_999);
    expect(told).toEqual(['begin']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['begin', 'end']);
    expect(hold.reason).toBeUndefined();
  });

  test('is prolonged by what comes meanwhile, and begins and ends once', () => {
    hold.hold('first', 10_000);
    vi.advanceTimersByTime(6_000);
    hold.hold('second', 10_000);
    vi.advanceTimersByTime(9_999);
    expect(hold.reason).toBe('second');
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['begin', 'end']);
  });

  test('is stopped without a word, and leaves no timer', () => {
    hold.hold('first', 10_000);
    hold.stop();
    expect(hold.reason).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
    expect(told).toEqual(['begin']);
  });
});
