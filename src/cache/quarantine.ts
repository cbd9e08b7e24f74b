import { unknownFence } from './fence.ts';
import { newId } from './names.ts';
import type { Era } from './store.ts';
import type { StoreGuard } from './store-guard.ts';

export interface QuarantineOptions {
  readonly guard: () => StoreGuard;
  readonly era: () => Era | undefined;
  readonly maxRecords?: number;
}

/**
 * Beyond that nothing more is kept in mind, and this process reads past the cache from then on: nobody knows any more
 * which values are old.
 */
const mostRecords = 100_000;

const batch = 100;
const retryMs = 500;
const keepMs = 600_000;

interface Undelivered {
  /** The mark that is to be ended, or an empty text. */
  readonly id: string;
  /** Before that the write may yet be carried out. */
  readonly notBefore: number;
}

/** Records whose invalidation was not delivered: this process reads past them, and tries until it is. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #max: number;
  /** An entry is replaced when the record is added again. */
  readonly #waiting = new Map<string, Undelivered>();
  #isFull = false;
  #delivery: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: QuarantineOptions) {
    this.#options = options;
    this.#max = options.maxRecords ?? mostRecords;
  }

  get size(): number {
    return this.#waiting.size;
  }

  includes(names: readonly string[]): boolean {
    return this.#isFull || (this.#waiting.size > 0 && names.some((name) => this.#waiting.has(name)));
  }

  /** Returns whether all of them will be tried again, after `holdMs` at the earliest. */
  add(names: readonly string[], id: string, holdMs = 0): boolean {
    if (this.#closed) return false;
    const notBefore = performance.now() + holdMs;
    for (const name of names) {
      if (this.#waiting.size >= this.#max && !this.#waiting.has(name)) {
        this.#isFull = true;
        return false;
      }
      this.#waiting.set(name, { id, notBefore });
    }
    this.#schedule();
    return true;
  }

  /** Tries to deliver all that are due; never rejects. */
  async deliver(): Promise<void> {
    this.#delivery ??= this.#deliverAll().finally(() => {
      this.#delivery = undefined;
    });
    await this.#delivery;
  }

  /** Tries once more, also with those that are not due, and gives up. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#delivery;
    await this.deliver();
    clearTimeout(this.#timer);
  }

  async #deliverAll(): Promise<void> {
    while (await this.#deliverSome());
    if (this.#waiting.size > 0) this.#schedule();
  }

  /** Whether there may be more to deliver. */
  async #deliverSome(): Promise<boolean> {
    const era = this.#options.era();
    if (era === undefined) return false;
    const now = performance.now();
    const some = [...this.#waiting]
      .filter(([, { notBefore }]) => this.#closed || notBefore <= now)
      .slice(0, batch);
    if (some.length === 0) return false;
    const guard = this.#options.guard();
    const deliveries = await Promise.allSettled(
      some.map(([name, { id }]) =>
        guard.complete(era, [{ name, id, gen: newId(), fence: unknownFence, keepMs }]),
      ),
    );
    for (const [index, [name, added]] of some.entries()) {
      if (this.#waiting.get(name) !== added) continue;
      this.#waiting.delete(name);
      // Behind those that were not tried yet: it may be away while the others are not.
      if (deliveries[index]?.status === 'rejected') this.#waiting.set(name, added);
    }
    return deliveries.every(({ status }) => status === 'fulfilled');
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.deliver();
    }, retryMs).unref();
  }
}
