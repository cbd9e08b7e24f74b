import { unknownFence } from './fence.ts';
import { newId } from './names.ts';
import type { CompleteOrder, Era } from './store.ts';
import type { StoreGuard } from './store-guard.ts';

export interface QuarantineOptions {
  readonly guard: () => StoreGuard;
  readonly era: () => Era | undefined;
  readonly maxRecords?: number;
}

/** Beyond that nothing more is kept in mind: this process reads past the cache altogether until there is room. */
const mostRecords = 10_000;

const batch = 100;
const retryMs = 500;
const keepMs = 600_000;

/** Records whose invalidation was not delivered: this process reads past them, and tries until it is. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #max: number;
  /** The mark that is to be ended, or an empty text. An entry is replaced when the record is added again. */
  readonly #waiting = new Map<string, { readonly id: string }>();
  #isFull = false;
  #delivering = false;
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

  /** Returns whether all of them will be tried again. */
  add(names: readonly string[], id: string): boolean {
    if (this.#closed) return false;
    for (const name of names) {
      if (this.#waiting.size >= this.#max && !this.#waiting.has(name)) {
        this.#isFull = true;
        return false;
      }
      this.#waiting.set(name, { id });
    }
    this.#schedule();
    return true;
  }

  /** Tries to deliver all of them; never rejects. */
  async deliver(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#waiting.size > 0) if (!(await this.#deliverSome())) break;
    this.#delivering = false;
    if (this.#waiting.size > 0) this.#schedule();
    else this.#isFull = false;
  }

  /** Tries once more, and gives up. */
  async close(): Promise<void> {
    await this.deliver();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #deliverSome(): Promise<boolean> {
    const era = this.#options.era();
    if (era === undefined) return false;
    const some = [...this.#waiting].slice(0, batch);
    const orders: readonly CompleteOrder[] = some.map(([name, { id }]) => ({
      name,
      id,
      gen: newId(),
      fence: unknownFence,
      keepMs,
    }));
    try {
      await this.#options.guard().complete(era, orders);
    } catch {
      return false;
    }
    for (const [name, added] of some) {
      if (this.#waiting.get(name) === added) this.#waiting.delete(name);
    }
    return true;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.deliver();
    }, retryMs).unref();
  }
}
