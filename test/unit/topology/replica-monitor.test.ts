import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../../src/pool/connection.ts';
import { Failed } from '../../../src/resilience/failed.ts';
import type { Failure, FailureKind } from '../../../src/resilience/failures.ts';
import { ReplicaMonitor } from '../../../src/topology/replica-monitor.ts';

const tickMs = 50;

/** What a monitor does while its server says nothing at all, tick by tick. */
describe('replica monitor, at a server that does not answer the login', () => {
  let told: string[];
  let inFlight: number;
  let answers: number;
  let replaceable: boolean;
  let dials: { fail: (failure: Failure) => void }[];
  let monitor: ReplicaMonitor;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.spyOn(Math, 'random').mockReturnValue(0);
    told = [];
    inFlight = 0;
    answers = 0;
    replaceable = true;
    dials = [];
    monitor = new ReplicaMonitor(
      {
        name: 'r1',
        open: () =>
          new Promise<Connection>((_, reject) => {
            dials.push({ fail: (failure) => reject(new Failed(failure)) });
          }),
        activity: () => ({ inFlight, answers }),
        replaceable: () => replaceable,
        answered: () => told.push('answered'),
        unreachable: ({ message }) => told.push(`unreachable: ${message}`),
        turnedAway: ({ message }) => told.push(`turned away: ${message}`),
      },
      { intervalMs: 1_000, timeoutMs: 1_000 },
      tickMs,
    );
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function tick(times: number, then?: () => void): void {
    for (let i = 0; i < times; i += 1) {
      monitor.tick(0);
      then?.();
    }
  }

  async function fail(kind: FailureKind): Promise<void> {
    dials
      .at(-1)
      ?.fail({ kind, outcome: 'not-executed', message: kind, cause: undefined, connection: 'destroy' });
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('tells after the time-out, once', () => {
    tick(1 + 19);
    expect(told).toEqual([]);
    tick(1);
    expect(told).toEqual(['unreachable: r1 has not answered for 1000 ms']);
    tick(100);
    expect(told).toHaveLength(1);
  });

  it('keeps the one login under way instead of beginning others', () => {
    tick(200);
    expect(dials).toHaveLength(1);
  });

  it('tells after a quarter of the time-out while reads wait that could go elsewhere', () => {
    inFlight = 3;
    tick(1 + 4);
    expect(told).toEqual([]);
    tick(1);
    expect(told).toHaveLength(1);
  });

  it('waits the whole time-out while reads wait that could go nowhere else', () => {
    inFlight = 3;
    replaceable = false;
    tick(1 + 19);
    expect(told).toEqual([]);
    tick(1);
    expect(told).toHaveLength(1);
  });

  it('tells nothing while the pool is answered', () => {
    inFlight = 3;
    tick(100, () => {
      answers += 1;
    });
    expect(told).toEqual([]);
  });

  it('counts the silence from the last answer to the pool', () => {
    inFlight = 3;
    tick(50, () => {
      answers += 1;
    });
    tick(5);
    expect(told).toEqual([]);
    tick(1);
    expect(told).toHaveLength(1);
  });

  it('does not take the time that its own process was blocked for silence of the server', () => {
    inFlight = 3;
    monitor.tick(0);
    monitor.tick(60_000);
    expect(told).toEqual([]);
  });

  it.each([
    ['connect', 'unreachable'],
    ['lost', 'unreachable'],
    ['tls', 'unreachable'],
    ['overloaded', 'turned away'],
    ['host-blocked', 'turned away'],
    ['access', 'turned away'],
  ] as const)('a login that fails with %s: %s', async (kind, what) => {
    tick(1);
    await fail(kind);
    expect(told).toEqual([`${what}: ${kind}`]);
  });

  it('is turned away rather than unreachable when the pool was answered during the dial', async () => {
    tick(1);
    answers += 1;
    await fail('connect');
    expect(told).toEqual(['turned away: connect']);
  });

  it('does not take waiting for its turn for silence after it was turned away', async () => {
    tick(1);
    await fail('overloaded');
    vi.advanceTimersByTime(50);
    for (let i = 0; i < 100; i += 1) monitor.tick();
    expect(dials).toHaveLength(2);
    expect(told).toEqual(['turned away: overloaded']);
  });

  it('dials again after 50 ms, then after twice as long each time, up to its interval', async () => {
    monitor.tick();
    for (const pauseMs of [50, 100, 200, 400, 800, 1_000, 1_000]) {
      const dialled = dials.length;
      await fail('connect');
      vi.advanceTimersByTime(pauseMs - 1);
      monitor.tick();
      expect(dials).toHaveLength(dialled);
      vi.advanceTimersByTime(1);
      monitor.tick();
      expect(dials).toHaveLength(dialled + 1);
    }
  });

  it('shortens its pauses by up to a fifth, so that processes do not dial together', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    monitor.tick();
    await fail('connect');
    vi.advanceTimersByTime(40);
    monitor.tick();
    expect(dials).toHaveLength(2);
  });

  it('dials no more once it is stopped', async () => {
    tick(1);
    monitor.stop();
    await fail('connect');
    tick(100);
    expect(dials).toHaveLength(1);
    expect(told).toEqual([]);
  });
});
