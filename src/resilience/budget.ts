/** Retries that are there from the start: a server that dies takes what was under way on its connections with it. */
const reserve = 100;

/** How fast the reserve fills again however few operations there are, so that a quiet service can retry at all. */
const refillPerSecond = 10;

/** Most retries that can be saved up: what a failover may take at once. */
const capacity = 1_000;

/**
 * Keeps retries to a fraction of the operations of a whole cluster: each operation pays in `fraction`, each retry takes
 * out 1. A reserve of 100 fills again by 10 per second, at most 1000 are saved up. A fraction of 0 allows none.
 */
export class RetryBudget {
  readonly #fraction: number;
  readonly #now: () => number;
  #tokens: number;
  #refilledAt: number;

  /** `now` gives milliseconds from any start. */
  constructor(fraction: number, now: () => number = () => performance.now()) {
    this.#fraction = fraction;
    this.#now = now;
    this.#tokens = fraction === 0 ? 0 : reserve;
    this.#refilledAt = now();
  }

  /** Call once per operation, not per try. */
  deposit(): void {
    const tokens = this.#tokens + this.#fraction;
    this.#tokens = tokens > capacity ? capacity : tokens;
  }

  /** Whether a retry would be allowed now; takes nothing. */
  get available(): boolean {
    this.#refill();
    return this.#tokens >= 1;
  }

  /** Takes one retry; `false` when there is none left. */
  take(): boolean {
    if (!this.available) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(): void {
    const now = this.#now();
    const elapsedMs = now - this.#refilledAt;
    this.#refilledAt = now;
    if (this.#fraction === 0 || this.#tokens >= reserve) return;
    this.#tokens = Math.min(reserve, this.#tokens + (elapsedMs * refillPerSecond) / 1_000);
  }
}
