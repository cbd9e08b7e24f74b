import { describe, expect, test } from 'vitest';
import { WaitQueue } from '../../../src/pool/wait-queue.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';

const unlimited = new Deadline(Number.POSITIVE_INFINITY);

const newQueue = (): WaitQueue<string> => new WaitQueue((interruption) => `left: ${interruption}`);

describe('WaitQueue', () => {
  test('serves first whoever came first', async () => {
    const queue = newQueue();
    const [first, second] = [queue.wait(unlimited), queue.wait(unlimited)];
    expect(queue.size).toBe(2);
    expect([queue.serve('a'), queue.serve('b'), queue.serve('c')]).toEqual([true, true, false]);
    expect([await first, await second]).toEqual(['a', 'b']);
    expect(queue.size).toBe(0);
  });

  test('lets a waiter leave at its deadline and by its signal, and serves the next', async () => {
    const queue = newQueue();
    const abort = new AbortController();
    const late = queue.wait(new Deadline(20));
    const aborted = queue.wait(new Deadline(10_000, abort.signal));
    const patient = queue.wait(unlimited);
    abort.abort();
    await expect(aborted).rejects.toBe('left: aborted');
    await expect(late).rejects.toBe('left: timeout');
    expect(queue.size).toBe(1);
    expect(queue.serve('a')).toBe(true);
    expect(await patient).toBe('a');
  });

  test('lets each waiter leave at his own deadline, in whatever order they came', async () => {
    const queue = newQueue();
    const left: string[] = [];
    const began = performance.now();
    const wait = async (name: string, timeoutMs: number): Promise<void> => {
      await queue.wait(new Deadline(timeoutMs)).catch(() => {
        left.push(name);
        expect(performance.now() - began).toBeGreaterThanOrEqual(timeoutMs);
      });
    };
    await Promise.all([wait('slow', 120), wait('quick', 20), wait('middle', 60), wait('quick too', 20)]);
    expect(left).toEqual(['quick', 'quick too', 'middle', 'slow']);
    expect(queue.size).toBe(0);
  });

  test('does not forget the others when the one with the nearest deadline is served', async () => {
    const queue = newQueue();
    const first = queue.wait(new Deadline(30));
    const second = queue.wait(new Deadline(60));
    queue.serve('a');
    expect(await first).toBe('a');
    await expect(second).rejects.toBe('left: timeout');
    const third = queue.wait(new Deadline(30));
    await expect(third).rejects.toBe('left: timeout');
  });

  test('leaves no timer behind when it is closed', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const queue = newQueue();
    const waiting = queue.wait(new Deadline(60_000));
    expect(timers()).toBe(before + 1);
    queue.close('closed');
    await expect(waiting).rejects.toBe('closed');
    expect(timers()).toBe(before);
  });

  test('does not take back what it has served', async () => {
    const queue = newQueue();
    const abort = new AbortController();
    const waiting = queue.wait(new Deadline(10_000, abort.signal));
    queue.serve('a');
    abort.abort();
    expect(await waiting).toBe('a');
  });

  test('turns away the first, or all', async () => {
    const queue = newQueue();
    const waiting = [1, 2, 3].map(() => queue.wait(unlimited));
    const settled = Promise.allSettled(waiting);
    expect(queue.refuse('one')).toBe(true);
    queue.refuseAll('all');
    expect(queue.refuse('nobody')).toBe(false);
    expect((await settled).map((result) => (result.status === 'rejected' ? result.reason : ''))).toEqual([
      'one',
      'all',
      'all',
    ]);
  });

  test('turns away a waiter whose signal has fired already, but never before it is asked', async () => {
    const queue = newQueue();
    const waiting = queue.wait(new Deadline(10_000, AbortSignal.abort()));
    expect(queue.size).toBe(1);
    await expect(waiting).rejects.toBe('left: aborted');
    expect(queue.size).toBe(0);
  });
});
