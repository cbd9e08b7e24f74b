import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Budget, OverBudget } from '../../../src/cache/budget.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a budget', () => {
  test('ends each wait that has lasted too long, with one timer for all', async () => {
    const budget = new Budget(50);
    const late: string[] = [];
    budget.begin(() => late.push('a'));
    await vi.advanceTimersByTimeAsync(30);
    budget.begin(() => late.push('b'));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(25);
    expect(late).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(30);
    expect(late).toEqual(['a', 'b']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('leaves those alone that were ended, in any order', async () => {
    const budget = new Budget(50);
    const late: string[] = [];
    const waits = ['a', 'b', 'c', 'd'].map((name) => budget.begin(() => late.push(name)));
    for (const index of [1, 0, 3]) expect(budget.end(waits[index] as (typeof waits)[0])).toBe(true);
    expect(budget.end(waits[1] as (typeof waits)[0])).toBe(false);
    budget.begin((error) => late.push(error instanceof OverBudget ? error.message : 'other'));
    await vi.advanceTimersByTimeAsync(60);
    expect(late).toEqual(['c', 'no answer within 50 ms']);
    expect(budget.end(waits[2] as (typeof waits)[0])).toBe(false);
  });

  test('counts what comes after its time, but before anybody has looked, as in time', () => {
    const budget = new Budget(50);
    const late = vi.fn();
    const wait = budget.begin(late);
    vi.advanceTimersToNextTimer();
    expect(budget.end(wait)).toBe(true);
    vi.runAllTimers();
    expect(late).not.toHaveBeenCalled();
  });

  test('leaves no timer once it is closed and nobody waits', () => {
    const budget = new Budget(50);
    const waits = [budget.begin(() => {}), budget.begin(() => {})];
    for (const wait of waits.slice(1)) budget.end(wait);
    budget.close();
    expect(vi.getTimerCount()).toBe(1);
    for (const wait of waits) budget.end(wait);
    expect(vi.getTimerCount()).toBe(0);
  });
});
