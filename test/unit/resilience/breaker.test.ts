import CircuitBreaker from 'opossum';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Breaker, BreakerClock } from '../../../src/resilience/breaker.ts';

const settings = { errorRate: 0.5, minimumReads: 4, windowMs: 1_000, resetMs: 200 };

describe('breaker', () => {
  let clock: BreakerClock;
  let breaker: Breaker;
  let told: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    clock = new BreakerClock(settings.windowMs);
    breaker = open();
  });

  afterEach(() => {
    breaker.stop();
    clock.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(clock.rotation.listenerCount('rotate')).toBe(0);
    vi.useRealTimers();
  });

  function open(given: Partial<typeof settings> = {}): Breaker {
    return new Breaker({
      name: 'replica',
      settings: { ...settings, ...given },
      clock,
      onOpen: () => told.push('open'),
      onClose: () => told.push('close'),
    });
  }

  /** Lets opossum take note: it hears of everything through promises. */
  async function settle(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
  }

  async function reads(outcomes: string): Promise<void> {
    for (const outcome of outcomes) {
      if (outcome === 's') breaker.succeeded(breaker.period);
      else breaker.failed(breaker.period);
      await settle();
    }
  }

  it.each([
    ['fff', 'stays closed below the minimum of reads', true],
    ['ssff', 'opens when the share of failures is reached', false],
    ['sssff', 'stays closed below the share', true],
    ['ssssffff', 'opens at the fourth failure of eight', false],
    ['ffff', 'opens when everything fails', false],
    ['ssssssss', 'stays closed while everything succeeds', true],
  ])('after %s it %s', async (outcomes, _, closed) => {
    await reads(outcomes);
    expect(breaker.closed).toBe(closed);
    expect(told).toEqual(closed ? [] : ['open']);
  });

  it('opens at a share of 1 when everything fails', async () => {
    breaker.stop();
    breaker = open({ errorRate: 1 });
    await reads('ffff');
    expect(breaker.closed).toBe(false);
  });

  it('forgets failures that are older than its window', async () => {
    await reads('fff');
    await vi.advanceTimersByTimeAsync(settings.windowMs + 100);
    await reads('sfss');
    expect(breaker.closed).toBe(true);
  });

  it('forgets successes that are older than its window', async () => {
    await reads('ssssssssss');
    await vi.advanceTimersByTimeAsync(settings.windowMs + 100);
    await reads('ffff');
    expect(breaker.closed).toBe(false);
  });

  it('counts successes for as long as its window lasts', async () => {
    await reads('sssssssss');
    await vi.advanceTimersByTimeAsync(settings.windowMs * 0.8);
    await reads('fffffff');
    expect(breaker.closed).toBe(true);
  });

  it('closes by a probe once it is half-open', async () => {
    await reads('ffff');
    await vi.advanceTimersByTimeAsync(settings.resetMs);
    breaker.probeSucceeded();
    await settle();
    expect(breaker.closed).toBe(true);
    expect(told).toEqual(['open', 'close']);
  });

  it('does not close by a probe before it is half-open', async () => {
    await reads('ffff');
    await vi.advanceTimersByTimeAsync(settings.resetMs - 1);
    breaker.probeSucceeded();
    await settle();
    expect(breaker.closed).toBe(false);
  });

  it('closes once when two probes succeed at the same time', async () => {
    await reads('ffff');
    await vi.advanceTimersByTimeAsync(settings.resetMs);
    breaker.probeSucceeded();
    breaker.probeSucceeded();
    await settle();
    expect(told).toEqual(['open', 'close']);
  });

  it.each([
    ['open', 0],
    ['half-open', settings.resetMs],
  ])('is not closed by the late success of a read begun before it opened, while %s', async (_, waitMs) => {
    const { period } = breaker;
    await reads('ffff');
    await vi.advanceTimersByTimeAsync(waitMs);
    breaker.succeeded(period);
    await settle();
    expect(breaker.closed).toBe(false);
  });

  it('needs its own bookkeeping for that: opossum closes by a late success', async () => {
    let answer = (): void => {};
    const plain = new CircuitBreaker(
      (slow: boolean) =>
        slow
          ? new Promise<void>((resolve) => {
              answer = resolve;
            })
          : Promise.reject(new Error('failed')),
      { timeout: false, resetTimeout: settings.resetMs, errorThresholdPercentage: 10 },
    );
    void plain.fire(true);
    await plain.fire(false).catch(() => {});
    expect(plain.opened).toBe(true);
    await vi.advanceTimersByTimeAsync(settings.resetMs);
    answer();
    await settle();
    expect(plain.closed).toBe(true);
    plain.shutdown();
  });

  it('does not count the late failure of a read begun before it opened', async () => {
    const { period } = breaker;
    await reads('ffff');
    await vi.advanceTimersByTimeAsync(settings.resetMs);
    breaker.probeSucceeded();
    await settle();
    for (let i = 0; i < 10; i += 1) breaker.failed(period);
    await settle();
    expect(breaker.closed).toBe(true);
  });

  it('counts from nothing after it has closed', async () => {
    await reads('ffff');
    await vi.advanceTimersByTimeAsync(settings.resetMs);
    breaker.probeSucceeded();
    await settle();
    await reads('fff');
    expect(breaker.closed).toBe(true);
    await reads('f');
    expect(breaker.closed).toBe(false);
  });

  it('starts anew, closed and silent, when it is reset', async () => {
    await reads('ffff');
    breaker.reset();
    expect(breaker.closed).toBe(true);
    expect(told).toEqual(['open']);
    await reads('fff');
    expect(breaker.closed).toBe(true);
  });

  it('leaves no timer when it is stopped while open', async () => {
    await reads('ffff');
    breaker.stop();
    clock.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shares one timer with all breakers of a cluster', () => {
    const others = Array.from({ length: 20 }, () => open());
    expect(vi.getTimerCount()).toBe(1);
    for (const other of others) other.stop();
    expect(clock.rotation.listenerCount('rotate')).toBe(2);
  });
});
