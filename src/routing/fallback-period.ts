import type { ClusterEmitter } from '../observe/emitter.ts';

/** The time during which replica reads run on the primary: tells when it begins and ends, once each. */
export class FallbackPeriod {
  readonly #events: ClusterEmitter;
  #since: number | undefined;

  constructor(events: ClusterEmitter) {
    this.#events = events;
  }

  begin(reason: string): void {
    if (this.#since !== undefined) return;
    this.#since = performance.now();
    this.#events.emit('fallback:started', { reason });
  }

  end(): void {
    if (this.#since === undefined) return;
    const lastedMs = Math.round(performance.now() - this.#since);
    this.#since = undefined;
    this.#events.emit('fallback:ended', { lastedMs });
  }
}
