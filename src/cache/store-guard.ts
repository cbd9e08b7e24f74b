import type { ClusterEmitter } from '../observe/emitter.ts';
import { Breaker, BreakerClock } from '../resilience/breaker.ts';
import { Budget } from './budget.ts';
import {
  type CacheStore,
  type CompleteOrder,
  type Era,
  type FillOrder,
  type MarkOrder,
  type Opened,
  type OpenOrder,
  type ReleaseOrder,
  type SeenRecord,
  type SettleOrder,
  type StoreListener,
  StoreRefused,
} from './store.ts';

/** The store did not do what it was asked, or nobody knows: it was too slow, has gone, or refused. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}

export interface StoreGuardOptions {
  readonly connect: (listener: StoreListener) => CacheStore;
  readonly events: ClusterEmitter;
  /** The longest that a reader waits for one answer. */
  readonly readBudgetMs: number;
  /** The longest that a writer does. */
  readonly writeBudgetMs: number;
  /** The store answers again. */
  readonly onBack: () => void;
}

const breakerSettings = { errorRate: 0.5, minimumReads: 10, windowMs: 2_000, resetMs: 250 } as const;

const probeIntervalMs = 100;

/** A connection on which a probe is left unanswered for so long is given up. */
const probeTimeoutMs = 2_000;

/** Stands before a store: no answer is waited for beyond its budget, and a store that does not answer is left alone. */
export class StoreGuard {
  readonly #options: StoreGuardOptions;
  readonly #clock = new BreakerClock(breakerSettings.windowMs);
  readonly #breaker: Breaker;
  readonly #store: CacheStore;
  readonly #reading: Budget;
  readonly #writing: Budget;
  readonly #probes = new Budget(probeTimeoutMs);
  #probe: NodeJS.Timeout | undefined;
  #probing = false;
  /** Since when it has been away, once that was told. */
  #awaySince: number | undefined;
  #downBecause = 'it has not answered yet';
  #isUp = false;
  #hasStarted = false;
  readonly #onStart = new Set<() => void>();

  constructor(options: StoreGuardOptions) {
    this.#options = options;
    this.#reading = new Budget(options.readBudgetMs);
    this.#writing = new Budget(options.writeBudgetMs);
    this.#breaker = new Breaker({
      name: 'cache',
      settings: breakerSettings,
      clock: this.#clock,
      onOpen: () => this.#opened(),
      onClose: () => this.#came(),
    });
    this.#store = options.connect({
      onUp: () => {
        this.#isUp = true;
        this.#started();
        this.#came();
      },
      onDown: (reason) => {
        this.#isUp = false;
        this.#started();
        this.#downBecause = reason;
        this.#went(reason);
      },
    });
    if (this.#store.life === undefined) return;
    this.#isUp = true;
    this.#hasStarted = true;
  }

  /** Resolves when the store has answered or failed for the first time, or a writer need not wait for that any longer. */
  start(): Promise<void> {
    if (this.#hasStarted) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, this.#options.writeBudgetMs);
      this.#onStart.add(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  /** The life of the store; `undefined` while it is better left alone. */
  get life(): string | undefined {
    return this.#breaker.closed ? this.#store.life : undefined;
  }

  now(): number {
    return this.#store.now();
  }

  get(era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    return this.#within(this.#reading, (store) => store.get(era, names));
  }

  open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]> {
    return this.#within(this.#reading, (store) => store.open(era, orders));
  }

  fill(era: Era, order: FillOrder, settled: readonly SettleOrder[]): Promise<boolean> {
    return this.#within(this.#writing, (store) => store.fill(era, order, settled));
  }

  release(era: Era, order: ReleaseOrder): Promise<void> {
    return this.#within(this.#writing, (store) => store.release(era, order));
  }

  mark(era: Era, orders: readonly MarkOrder[]): Promise<void> {
    return this.#within(this.#writing, (store) => store.mark(era, orders));
  }

  complete(era: Era, orders: readonly CompleteOrder[]): Promise<void> {
    return this.#within(this.#writing, (store) => store.complete(era, orders));
  }

  close(): void {
    this.#started();
    clearInterval(this.#probe);
    this.#breaker.stop();
    this.#clock.stop();
    this.#store.close();
    for (const budget of [this.#reading, this.#writing, this.#probes]) budget.close();
  }

  #within<T>(budget: Budget, ask: (store: CacheStore) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.life === undefined) {
        reject(new StoreAway(this.#downBecause));
        return;
      }
      const { period } = this.#breaker;
      const failed = (cause: unknown): void => {
        // A refusal, such as that there is no memory left, is an answer.
        if (isRefusal(cause)) this.#breaker.succeeded(period);
        else this.#breaker.failed(period);
        reject(new StoreAway(cause instanceof Error ? cause.message : String(cause), { cause }));
      };
      const wait = budget.begin(failed);
      ask(this.#store).then(
        (answer) => {
          if (!budget.end(wait)) return;
          this.#breaker.succeeded(period);
          resolve(answer);
        },
        (cause: unknown) => {
          if (budget.end(wait)) failed(cause);
        },
      );
    });
  }

  #started(): void {
    this.#hasStarted = true;
    for (const tell of this.#onStart) tell();
    this.#onStart.clear();
  }

  #opened(): void {
    this.#went('it does not answer in time');
    this.#probe ??= setInterval(() => this.#look(), probeIntervalMs).unref();
  }

  #look(): void {
    if (this.#probing) return;
    this.#probing = true;
    const wait = this.#probes.begin(() => {
      this.#probing = false;
      this.#store.reconnect();
    });
    const answered = (isUp: boolean): void => {
      if (!this.#probes.end(wait)) return;
      this.#probing = false;
      if (isUp) this.#breaker.probeSucceeded();
    };
    this.#store.ping().then(
      () => answered(true),
      () => answered(false),
    );
  }

  #went(reason: string): void {
    if (this.#awaySince !== undefined) return;
    this.#awaySince = performance.now();
    this.#options.events.emit('cache:away', { reason });
  }

  #came(): void {
    if (!this.#breaker.closed || !this.#isUp) return;
    clearInterval(this.#probe);
    this.#probe = undefined;
    if (this.#awaySince !== undefined) {
      const awayMs = Math.round(performance.now() - this.#awaySince);
      this.#awaySince = undefined;
      this.#options.events.emit('cache:back', { awayMs });
    }
    this.#options.onBack();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof StoreRefused || (error instanceof Error && error.name === 'ReplyError');
}
