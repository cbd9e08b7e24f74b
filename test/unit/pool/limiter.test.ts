import { describe, expect, test, vi } from 'vitest';
import { Limiter } from '../../../src/pool/limiter.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';

/** A task that ends when it is told to. */
class Task {
  started = false;
  end: () => void = () => {};
  fail: (error: Error) => void = () => {};

  readonly run = (): Promise<string> => {
    this.started = true;
    return new Promise((resolve, reject) => {
      this.end = () => resolve('done');
      this.fail = reject;
    });
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Limiter', () => {
  test('runs so many tasks at once, and the others in their order', async () => {
    const limiter = new Limiter(2);
    const tasks = Array.from({ length: 4 }, () => new Task());
    const results = tasks.map((task) => limiter.run(task.run));
    await settle();
    expect(tasks.map(({ started }) => started)).toEqual([true, true, false, false]);
    tasks[1]?.end();
    await settle();
    expect(tasks.map(({ started }) => started)).toEqual([true, true, true, false]);
    for (const task of tasks) task.end();
    await settle();
    tasks[3]?.end();
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done', 'done']);
  });

  test('hands on the failure of a task, and its place at once', async () => {
    const limiter = new Limiter(1);
    const [first, second] = [new Task(), new Task()];
    const failed = limiter.run(first.run);
    const waiting = limiter.run(second.run);
    first.fail(new Error('no'));
    await expect(failed).rejects.toThrow('no');
    await settle();
    expect(second.started).toBe(true);
    second.end();
    expect(await waiting).toBe('done');
  });

  test('keeps the place of a task that failed for a while, without keeping the process alive', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const limiter = new Limiter(1, { restAfterFailureMs: 50 });
      const [first, second] = [new Task(), new Task()];
      const failed = limiter.run(first.run);
      first.fail(new Error('no'));
      await expect(failed).rejects.toThrow('no');
      const waiting = limiter.run(second.run);
      await vi.advanceTimersByTimeAsync(49);
      expect(second.started).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(second.started).toBe(true);
      second.end();
      expect(await waiting).toBe('done');
    } finally {
      vi.useRealTimers();
    }
  });

  test('starts those that had to wait up to the jitter later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const limiter = new Limiter(1, { jitterMs: 10 });
      const [first, second] = [new Task(), new Task()];
      const done = limiter.run(first.run);
      const waiting = limiter.run(second.run);
      expect(first.started).toBe(true);
      first.end();
      await done;
      expect(second.started).toBe(false);
      await vi.advanceTimersByTimeAsync(10);
      expect(second.started).toBe(true);
      second.end();
      await waiting;
    } finally {
      vi.useRealTimers();
    }
  });

  test('never begins a task whose deadline passes before its turn comes, and goes on with the next', async () => {
    const limiter = new Limiter(1);
    const [first, late, third] = [new Task(), new Task(), new Task()];
    const done = limiter.run(first.run);
    const gone = limiter.run(late.run, new Deadline(20));
    const waiting = limiter.run(third.run, new Deadline(10_000));
    await expect(gone).rejects.toMatchObject({ failure: { kind: 'timeout', phase: 'turn' } });
    first.end();
    await done;
    await settle();
    expect([late.started, third.started]).toEqual([false, true]);
    third.end();
    expect(await waiting).toBe('done');
  });
});
