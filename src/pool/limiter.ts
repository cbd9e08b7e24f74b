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

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
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

  /** Hands the place over to whoever has waited longest. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
