import { nowMs } from './clock.ts';
import type { Stall } from './history.ts';

const tickMs = 20;
/** Timers are late by that much on any busy machine. */
const toleratedMs = 60;

/** Notes when this process did not get to run: nothing in it could then have been on time. */
export class StallWatch {
  readonly #stalls: Stall[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(worker: number) {
    let last = nowMs();
    this.#timer = setInterval(() => {
      const now = nowMs();
      if (now - last > tickMs + toleratedMs) this.#stalls.push({ worker, from: last, to: now });
      last = now;
    }, tickMs);
  }

  stop(): readonly Stall[] {
    clearInterval(this.#timer);
    return this.#stalls;
  }
}
