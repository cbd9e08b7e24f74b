/** A measurement this old counts 37 %. */
const memoryMs = 2_000;

/**
 * A moving average in which measurements fade with time, not with their number, so that busy and quiet servers are
 * comparable. While nothing is measured it fades towards 0: a server that was slow is tried again after a while.
 */
export class LatencyAverage {
  #averageMs = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;

  record(latencyMs: number, now: number): void {
    const kept = Math.exp((this.#measuredAt - now) / memoryMs);
    this.#averageMs = latencyMs + (this.#averageMs - latencyMs) * kept;
    this.#measuredAt = now;
  }

  /** 0 while nothing was measured. */
  valueMs(now: number): number {
    return this.#averageMs * Math.exp((this.#measuredAt - now) / memoryMs);
  }
}
