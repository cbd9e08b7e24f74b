import type { ClusterEmitter } from '../observe/emitter.ts';
import { Breaker, BreakerClock } from '../resilience/breaker.ts';
import {
  type CacheStore,
  type CompleteOrder,
  type Era,
  type FillOrder,
  type MarkOrder,
  type Opened,
  type OpenOrder,
  RecordAway,
  type SeenRecord,
  type SettleOrder,
  type StoreListener,
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
  #probe: NodeJS.Timeout | undefined;
  #probing = false;
  /** Since when it has been away, once that was told. */
  #awaySince: number | undefined;
  #downBecause = 'it has not answered yet';
  #isUp = false;

  constructor(options: StoreGuardOptions) {
    this.#options = options;
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
        this.#came();
      },
      onDown: (reason) => {
        this.#isUp = false;
        this.#downBecause = reason;
        this.#went(reason);
      },
    });
    if (this.#store.life !== undefined) this.#isUp = true;
  }

  /** The life of the store; `undefined` while it is better left alone. */
  get life(): string | undefined {
    return this.#breaker.closed ? this.#store.life : undefined;
  }

  now(): number {
    return this.#store.now();
  }

  get(era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    return this.#within(this.#options.readBudgetMs, (store) => store.get(era, names));
  }

  open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]> {
    return this.#within(this.#options.readBudgetMs, (store) => store.open(era, orders));
  }

  fill(era: Era, order: FillOrder, settled: readonly SettleOrder[]): Promise<boolean> {
    return this.#within(this.#options.writeBudgetMs, (store) => store.fill(era, order, settled));
  }

  mark(era: Era, orders: readonly MarkOrder[]): Promise<void> {
    return this.#within(this.#options.writeBudgetMs, (store) => store.mark(era, orders));
  }

  complete(era: Era, orders: readonly CompleteOrder[]): Promise<void> {
    return this.#within(this.#options.writeBudgetMs, (store) => store.complete(era, orders));
  }

  close(): void {
    clearInterval(this.#probe);
    this.#breaker.stop();
    this.#clock.stop();
    this.#store.close();
  }

  async #within<T>(budgetMs: number, ask: (store: CacheStore) => Promise<T>): Promise<T> {
    if (this.life === undefined) throw new StoreAway(this.#downBecause);
    const { period } = this.#breaker;
    try {
      const answer = await withinBudget(ask(this.#store), budgetMs);
      this.#breaker.succeeded(period);
      return answer;
    } catch (cause) {
      // A refusal, such as that there is no memory left, is an answer.
      if (isRefusal(cause)) this.#breaker.succeeded(period);
      else this.#breaker.failed(period);
      throw new StoreAway(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  #opened(): void {
    this.#went('it does not answer in time');
    this.#probe ??= setInterval(() => void this.#look(), probeIntervalMs).unref();
  }

  async #look(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    try {
      await withinBudget(this.#store.ping(), probeTimeoutMs);
      this.#breaker.probeSucceeded();
    } catch (error) {
      if (error instanceof OverBudget) this.#store.reconnect();
    } finally {
      this.#probing = false;
    }
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

class OverBudget extends Error {
  override readonly name = 'OverBudget';
}

function isRefusal(error: unknown): boolean {
  return error instanceof RecordAway || (error instanceof Error && error.name === 'ReplyError');
}

/** Rejects with {@link OverBudget} when there is no answer in time. One that has come while this process was busy counts. */
function withinBudget<T>(answer: Promise<T>, budgetMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let late: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      // After the sockets have been read.
      late = setImmediate(() => reject(new OverBudget(`no answer within ${budgetMs} ms`)));
    }, budgetMs);
    const settle = (): void => {
      clearTimeout(timer);
      if (late !== undefined) clearImmediate(late);
    };
    answer.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
  });
}
