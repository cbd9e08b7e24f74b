import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { type InterruptedFailure, interruptedWait } from '../resilience/interruption.ts';

export interface LimiterOptions {
  /** Tasks that had to wait start up to this much later than they could. */
  readonly jitterMs?: number;
  /** The place of a task that failed stays taken for so long: who tries again at once does not try all the time. */
  readonly restAfterFailureMs?: number;
}

/** Runs at most `max` tasks at once, in the order in which they came. */
export class Limiter {
  #max: number;
  readonly #jitterMs: number;
  readonly #restAfterFailureMs: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(max: number, { jitterMs = 0, restAfterFailureMs = 0 }: LimiterOptions = {}) {
    this.#max = max;
    this.#jitterMs = jitterMs;
    this.#restAfterFailureMs = restAfterFailureMs;
  }

  /** Rejects with {@link Failed}, and never begins, what has to wait until `deadline`. */
  async run<T>(task: () => Promise<T>, deadline?: Deadline): Promise<T> {
    if (this.#running >= this.#max) {
      await this.#turn(deadline);
      if (this.#jitterMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * this.#jitterMs));
      }
    } else {
      this.#running += 1;
    }
    let result: T;
    try {
      result = await task();
    } catch (error) {
      if (this.#restAfterFailureMs > 0) setTimeout(() => this.#leave(), this.#restAfterFailureMs).unref();
      else this.#leave();
      throw error;
    }
    this.#leave();
    return result;
  }

  /** Lets so many run at once from now on, which is more than before. */
  widen(max: number): void {
    this.#max = max;
    while (this.#running < max && this.#queue.length > 0) {
      this.#running += 1;
      this.#queue.shift()?.();
    }
  }

  #turn(deadline: Deadline | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        cancel?.();
        resolve();
      };
      this.#queue.push(enter);
      const cancel = deadline?.onInterrupt((interruption) => {
        this.#queue.splice(this.#queue.indexOf(enter), 1);
        const failure: InterruptedFailure = {
          ...interruptedWait(interruption, 'turn', 'what came before had not ended'),
          timeoutMs: Math.round(deadline.timeoutMs),
        };
        reject(new Failed(failure));
      });
    });
  }

  /** Hands the place over to whoever has waited longest. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
