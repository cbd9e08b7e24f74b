import type { Deadline, Interruption } from '../resilience/deadline.ts';
import { Alarm } from './alarm.ts';

interface Waiter<T> {
  readonly deadline: Deadline;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  /** Takes back the wait for the signal, where there is one. */
  cancel: (() => void) | undefined;
}

/** First come, first served; each waiter leaves by itself at its deadline or signal. */
export class WaitQueue<T> {
  readonly #waiters = new Set<Waiter<T>>();
  readonly #interrupted: (interruption: Interruption) => unknown;
  /** Rings at the earliest deadline: nearly everybody is served long before. */
  readonly #alarm = new Alarm();
  #alarmAt = Number.POSITIVE_INFINITY;

  /** `interrupted` builds the error of a waiter whose time ran out or whose signal fired. */
  constructor(interrupted: (interruption: Interruption) => unknown) {
    this.#interrupted = interrupted;
  }

  get size(): number {
    return this.#waiters.size;
  }

  wait(deadline: Deadline): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = { deadline, resolve, reject, cancel: undefined };
      this.#waiters.add(waiter);
      if (deadline.signal !== undefined) {
        waiter.cancel = deadline.onInterrupt((interruption) => this.#leave(waiter, interruption));
      } else if (deadline.endsAt < this.#alarmAt) {
        this.#setAlarm(deadline.endsAt);
      }
    });
  }

  /** Serves the one that has waited longest; false when nobody waits. */
  serve(value: T): boolean {
    const waiter = this.#shift();
    waiter?.resolve(value);
    return waiter !== undefined;
  }

  /** Turns away the one that has waited longest; false when nobody waits. */
  refuse(error: unknown): boolean {
    const waiter = this.#shift();
    waiter?.reject(error);
    return waiter !== undefined;
  }

  refuseAll(error: unknown): void {
    while (this.refuse(error));
  }

  /** Turns away all who wait, and ends the queue's timer. */
  close(error: unknown): void {
    this.refuseAll(error);
    this.#alarm.stop();
  }

  #shift(): Waiter<T> | undefined {
    for (const waiter of this.#waiters) {
      this.#remove(waiter);
      return waiter;
    }
    return undefined;
  }

  #leave(waiter: Waiter<T>, interruption: Interruption): void {
    this.#remove(waiter);
    waiter.reject(this.#interrupted(interruption));
  }

  #remove(waiter: Waiter<T>): void {
    this.#waiters.delete(waiter);
    waiter.cancel?.();
    if (this.#waiters.size > 0) return;
    this.#alarmAt = Number.POSITIVE_INFINITY;
    this.#alarm.clear();
  }

  #setAlarm(at: number): void {
    this.#alarmAt = at;
    this.#alarm.set(at, () => this.#expire());
  }

  #expire(): void {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      const { endsAt, signal } = waiter.deadline;
      if (endsAt <= now) this.#leave(waiter, 'timeout');
      else if (signal === undefined && endsAt < next) next = endsAt;
    }
    if (next < Number.POSITIVE_INFINITY) this.#setAlarm(next);
  }
}
