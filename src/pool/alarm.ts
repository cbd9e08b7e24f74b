/** The longest time that Node's timers can hold. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Rings once at a time, unless it is taken back, which nearly always happens. Setting it again for later costs no timer:
 * the one that runs stays and looks again when it fires. It keeps the process alive only while it is set.
 */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;
  #dueAt = Number.POSITIVE_INFINITY;
  #ring: (() => void) | undefined;

  /** Calls `ring` at `dueAt` (by `performance.now()`), in place of what was set before. */
  set(dueAt: number, ring: () => void): void {
    this.#dueAt = dueAt;
    this.#ring = ring;
    if (dueAt < this.#firesAt) this.#arm();
    else this.#timer?.ref();
  }

  clear(): void {
    this.#ring = undefined;
    this.#timer?.unref();
  }

  /** Takes the timer away for good. */
  stop(): void {
    this.#ring = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const waitMs = Math.max(1, Math.ceil(this.#dueAt - performance.now()));
    if (waitMs > longestTimerMs) return;
    this.#firesAt = this.#dueAt;
    this.#timer = setTimeout(() => this.#fire(), waitMs);
  }

  #fire(): void {
    const ring = this.#ring;
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
    if (ring === undefined) return;
    if (this.#dueAt > performance.now()) {
      this.#arm();
      return;
    }
    this.#ring = undefined;
    ring();
  }
}
