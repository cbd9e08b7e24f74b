import { newId } from './names.ts';
import type { Era, SeenRecord } from './store.ts';
import { StoreAway, type StoreGuard } from './store-guard.ts';

export interface CopyRegisterOptions {
  readonly guard: () => StoreGuard;
  readonly era: () => Era | undefined;
  /** The record that all processes of the namespace share. */
  readonly name: string;
  /** How long this process serves copies; 0: it keeps none. */
  readonly copyMs: number;
}

/** The longest that any process may serve a copy. */
export const longestCopyMs = 500;

/** An entry is kept for a day after the last process that serves copies as long as it says was seen. */
const keepMs = 86_400_000;
const renewMs = 3_600_000;

/** What the record says, and since when this process knows. */
interface Entry {
  readonly era: Era;
  readonly gen: string;
  /** How long copies are served, by whoever keeps some longest. */
  readonly copyMs: number;
  readonly since: number;
}

/**
 * Lets writers know how long copies are served that processes keep of values, so that they can wait for their end. No
 * clocks are compared: a copy ends by the clock of who keeps it, counted from before it asked for the value; a writer
 * counts by its own, from after the value was dropped.
 *
 * A reader takes copies only of what it was told together with the entry that it knew before it asked. A writer that finds
 * another entry than the one it knows, or none, cannot tell what held before, and waits for the longest time that may be.
 */
export class CopyRegister {
  readonly #options: CopyRegisterOptions;
  #entry: Entry | undefined;
  #enteredAt = Number.NEGATIVE_INFINITY;
  #entering: Promise<void> | undefined;

  constructor(options: CopyRegisterOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** What was known of the register in that era, for {@link allows}, and for who asks after this. */
  known(era: Era): string | undefined {
    const entry = this.#entry;
    if (this.#enteredAt + renewMs < performance.now()) void this.enter();
    return entry?.era === era && entry.copyMs >= this.#options.copyMs ? entry.gen : undefined;
  }

  /** Whether a copy may be taken of what came with `record`, when `known` was known before that was asked for. */
  allows(known: string | undefined, era: Era, record: SeenRecord | undefined): boolean {
    if (known !== undefined && record?.era === era && record.gen === known) return true;
    void this.enter();
    return false;
  }

  /**
   * When the last copy of what was dropped before this call ends, by `performance.now()`; never rejects. It is one
   * question to the store.
   */
  async lastEnd(): Promise<number> {
    const { guard, era: currentEra, name } = this.#options;
    const droppedAt = performance.now();
    const era = currentEra();
    if (this.#enteredAt + renewMs < droppedAt) void this.enter();
    try {
      if (era === undefined) return droppedAt + longestCopyMs;
      const [record] = await guard().get(era, [name]);
      const copyMs = record?.era === era ? copyMsIn(record.gen) : undefined;
      if (record === undefined || copyMs === undefined) {
        void this.enter();
        return droppedAt + longestCopyMs;
      }
      const { since } = this.#learn({ era, gen: record.gen, copyMs });
      return Math.max(droppedAt + copyMs, since + longestCopyMs);
    } catch (error) {
      if (error instanceof StoreAway) return droppedAt + longestCopyMs;
      throw error;
    }
  }

  /** Sees to it that the register has an entry that is enough for this process. Never rejects. */
  async enter(): Promise<void> {
    this.#entering ??= this.#enter()
      .catch(() => {
        // Copies are not taken, and writers wait longer, until the next try.
      })
      .finally(() => {
        this.#entering = undefined;
      });
    await this.#entering;
  }

  async #enter(): Promise<void> {
    const { guard, era: currentEra, name, copyMs: ownMs } = this.#options;
    const era = currentEra();
    if (era === undefined) return;
    this.#enteredAt = performance.now();
    const [record] = await guard().get(era, [name]);
    const recordMs = record?.era === era ? copyMsIn(record.gen) : undefined;
    if (record !== undefined && recordMs !== undefined && recordMs > ownMs) {
      this.#learn({ era, gen: record.gen, copyMs: recordMs });
      return;
    }
    const gen = genOf(ownMs);
    const [opened] = await guard().open(era, [{ name, gen, lease: undefined, keepMs }]);
    const found = opened?.gen ?? '';
    const foundMs = copyMsIn(found);
    if (foundMs !== undefined && foundMs >= ownMs) {
      this.#learn({ era, gen: found, copyMs: foundMs });
      return;
    }
    await guard().complete(era, [{ name, id: '', gen, fence: undefined, keepMs }]);
    this.#learn({ era, gen, copyMs: ownMs });
  }

  #learn(found: Omit<Entry, 'since'>): Entry {
    const { era, gen } = found;
    if (this.#entry?.era !== era || this.#entry.gen !== gen) {
      this.#entry = { ...found, since: performance.now() };
    }
    return this.#entry;
  }
}

function genOf(copyMs: number): string {
  return `${copyMs}.${newId()}`;
}

function copyMsIn(gen: string): number | undefined {
  const ms = Number(/^(\d+)\./.exec(gen)?.[1] ?? Number.NaN);
  return Number.isFinite(ms) ? ms : undefined;
}
