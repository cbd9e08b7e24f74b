/** Why an operation was ended before it finished by itself. */
export type Interruption = 'timeout' | 'aborted';

type Listener = (interruption: Interruption) => void;

const noop = (): void => {};

/** The longest time that Node's timers can hold. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * When an operation must have ended: one per operation, shared by everything that it waits for. It costs two numbers
 * until somebody waits; a timer and a listener on the signal exist only while somebody does.
 */
export class Deadline {
  /** The time it was given; `Infinity` when it has no limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** By `performance.now()`. */
  readonly endsAt: number;

  constructor(timeoutMs: number, signal?: AbortSignal) {
    this.timeoutMs = timeoutMs;
    this.signal = signal;
    this.endsAt = performance.now() + timeoutMs;
  }

  /** Milliseconds left; 0 or less once it has passed. */
  remainingMs(): number {
    return this.endsAt - performance.now();
  }

  /** What has ended it already, or `undefined` while it runs. */
  interruption(): Interruption | undefined {
    if (this.signal?.aborted) return 'aborted';
    return this.endsAt <= performance.now() ? 'timeout' : undefined;
  }

  /**
   * Calls `listener` once, `earlyMs` before the deadline or as soon as the signal fires, and never before this returns.
   * The returned function takes that back and must be called when the wait is over. A wait that is not `awaited` does
   * not keep the process alive.
   */
  onInterrupt(listener: Listener, earlyMs = 0, awaited = true): () => void {
    const { signal } = this;
    if (signal === undefined && this.timeoutMs === Number.POSITIVE_INFINITY) return noop;
    const wait = new Wait(listener, this.endsAt - earlyMs, signal, awaited);
    return () => wait.cancel();
  }

  /** Waits `ms`, or less when it is interrupted; resolves to what interrupted it. */
  sleep(ms: number): Promise<Interruption | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        cancel();
        resolve(undefined);
      }, ms);
      const cancel = this.onInterrupt((interruption) => {
        clearTimeout(timer);
        resolve(interruption);
      });
    });
  }
}

/** One listener of one deadline, until it has been called or cancelled. */
class Wait {
  readonly #listener: Listener;
  readonly #endsAt: number;
  readonly #signal: AbortSignal | undefined;
  readonly #awaited: boolean;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(listener: Listener, endsAt: number, signal: AbortSignal | undefined, awaited: boolean) {
    this.#listener = listener;
    this.#endsAt = endsAt;
    this.#signal = signal;
    this.#awaited = awaited;
    this.#startTimer(endsAt - performance.now());
    if (signal === undefined) return;
    if (signal.aborted) queueMicrotask(() => this.end('aborted'));
    else waitOn(signal, this);
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#signal !== undefined) stopWaitingOn(this.#signal, this);
  }

  end(interruption: Interruption): void {
    if (this.#over) return;
    this.cancel();
    this.#listener(interruption);
  }

  /** Node's timers may fire up to two milliseconds early; the deadline has not passed then. */
  onTimer(): void {
    const leftMs = this.#endsAt - performance.now();
    if (leftMs > 0) this.#startTimer(leftMs);
    else this.end('timeout');
  }

  #startTimer(waitMs: number): void {
    if (waitMs > longestTimerMs) return;
    this.#timer = setTimeout(callOnTimer, Math.max(1, Math.ceil(waitMs)), this);
    if (!this.#awaited) this.#timer.unref();
  }
}

function callOnTimer(wait: Wait): void {
  wait.onTimer();
}

/**
 * All who wait on one signal share one listener: Node warns from the eleventh listener of a signal on, and a
 * service's shutdown signal may be given to thousands of calls.
 */
const waitsOn = new WeakMap<AbortSignal, Set<Wait>>();

function waitOn(signal: AbortSignal, wait: Wait): void {
  const waits = waitsOn.get(signal);
  if (waits !== undefined) {
    waits.add(wait);
    return;
  }
  waitsOn.set(signal, new Set([wait]));
  signal.addEventListener('abort', onAbort);
}

function stopWaitingOn(signal: AbortSignal, wait: Wait): void {
  const waits = waitsOn.get(signal);
  if (waits?.delete(wait) !== true || waits.size > 0) return;
  waitsOn.delete(signal);
  signal.removeEventListener('abort', onAbort);
}

function onAbort(this: AbortSignal): void {
  for (const wait of [...(waitsOn.get(this) ?? [])]) wait.end('aborted');
}
