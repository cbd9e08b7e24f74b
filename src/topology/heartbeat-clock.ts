interface Sample {
  readonly ts: string;
  /** It was written later than this, by this process's clock. */
  readonly after: number;
}

/** At one heartbeat a second, half an hour: what is older than that needs no number. */
const longestMemory = 1_800;

/**
 * Tells how old the server is that shows a heartbeat, by this process's clock alone: whoever wrote the heartbeat, in
 * whichever time zone, it was written after this process last saw the primary without it. Pure.
 */
export class HeartbeatClock {
  readonly #samples: Sample[] = [];
  #newest: string | undefined;
  #seenAt: number | undefined;
  /** Up to here the writer's clock has run twice: of these only what was sampled itself is known. */
  #repeatedUntil = '';

  /** The heartbeat that the primary showed last. */
  get newest(): string | undefined {
    return this.#newest;
  }

  /** When the primary showed it first; `undefined` while there was none. */
  get seenAt(): number | undefined {
    return this.#seenAt;
  }

  /**
   * The primary, asked at `askedAt`, shows `ts`. `notBefore`: when it was last known to show another one, or this
   * process began to write this one. Returns whether it is a new one.
   */
  saw(ts: string, askedAt: number, notBefore: number | undefined): boolean {
    const previous = this.#newest;
    if (ts === previous) return false;
    this.#newest = ts;
    this.#seenAt = askedAt;
    if (previous !== undefined && ts < previous && previous > this.#repeatedUntil)
      this.#repeatedUntil = previous;
    if (notBefore !== undefined) this.#samples.push({ ts, after: notBefore });
    if (this.#samples.length > longestMemory) this.#samples.shift();
    return true;
  }

  /** A server that shows `ts` has everything that was committed before this time; `undefined`: nobody can tell. */
  hasAllBefore(ts: string): number | undefined {
    // What is ahead of a clock that was set back was written before that.
    const isLeftOver = (this.#newest ?? '') <= this.#repeatedUntil && ts > (this.#newest ?? '');
    const isAmbiguous = ts <= this.#repeatedUntil || isLeftOver;
    return this.#samples.findLast((sample) => sample.ts === ts || (!isAmbiguous && sample.ts < ts))?.after;
  }
}
