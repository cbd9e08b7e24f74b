import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/resilience/budget.ts';

function budgetAt(fraction: number) {
  const clock = { nowMs: 0 };
  return { budget: new RetryBudget(fraction, () => clock.nowMs), clock };
}

function takeAll(budget: RetryBudget): number {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
}

describe('RetryBudget', () => {
  it('grows by its fraction of the operations', () => {
    const { budget } = budgetAt(0.25);
    takeAll(budget);
    for (let i = 0; i < 100; i += 1) budget.deposit();
    expect(takeAll(budget)).toBe(25);
  });

  it('has a reserve of 100 that fills again by ten per second', () => {
    const { budget, clock } = budgetAt(0.2);
    expect(takeAll(budget)).toBe(100);
    clock.nowMs = 500;
    expect(takeAll(budget)).toBe(5);
    clock.nowMs = 60_000;
    expect(takeAll(budget)).toBe(100);
  });

  it('holds a burst of at most 1000', () => {
    const { budget } = budgetAt(1);
    for (let i = 0; i < 5_000; i += 1) budget.deposit();
    expect(takeAll(budget)).toBe(1_000);
  });

  it('does not lose what was saved up when time passes', () => {
    const { budget, clock } = budgetAt(1);
    for (let i = 0; i < 40; i += 1) budget.deposit();
    clock.nowMs = 1_000;
    expect(takeAll(budget)).toBe(140);
  });

  it('gives nothing at a fraction of 0', () => {
    const { budget, clock } = budgetAt(0);
    for (let i = 0; i < 100; i += 1) budget.deposit();
    clock.nowMs = 60_000;
    expect(budget.available).toBe(false);
    expect(budget.take()).toBe(false);
  });

  it('takes nothing by being asked', () => {
    const { budget } = budgetAt(0.2);
    expect([budget.available, budget.available]).toEqual([true, true]);
    expect(takeAll(budget)).toBe(100);
  });
});
