import type { InvalidationTargets } from '../config/invalidation-targets.ts';
import { CacheInvalidationError } from '../errors/errors.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Copies } from './copies.ts';
import type { CopyRegister } from './copy-register.ts';
import { type Fence, unknownFence } from './fence.ts';
import { newId, type RecordNames } from './names.ts';
import type { Quarantine } from './quarantine.ts';
import type { CacheStats } from './stats.ts';
import type { CompleteOrder, Era } from './store.ts';
import { StoreAway, type StoreGuard } from './store-guard.ts';
import type { TableTags } from './table-tags.ts';

export interface InvalidatorOptions {
  readonly guard: StoreGuard;
  readonly stats: CacheStats;
  readonly names: RecordNames;
  readonly tables: TableTags;
  readonly quarantine: Quarantine;
  readonly events: ClusterEmitter;
  /** For records that are changed; of no primary while none is known. */
  readonly era: () => Era | undefined;
  /** `undefined`: nobody else reads what is invalidated. */
  readonly register: CopyRegister | undefined;
  /** What this process keeps itself. */
  readonly copies: Copies | undefined;
  readonly onFailure: 'report' | 'throw';
}

/** How long a record is kept after an invalidation. */
const keepMs = 600_000;

/** Marks of a write outlive its deadline by this: a COMMIT that was given up may still be carried out. */
const markBeyondMs = 30_000;

/** An invalidation that was announced before its COMMIT, and is to be ended by exactly one of the methods. */
export interface PendingInvalidation {
  /** It was committed, and the fence says where. Never rejects. */
  committed(fence: Fence): Promise<void>;
  /** Nothing was changed. Never rejects. */
  rolledBack(): Promise<void>;
  /** Nobody knows. Values stay out of the cache until the mark ends. */
  inDoubt(): void;
}

/** What is invalidated, and the records of it. */
interface Told {
  readonly keys: readonly string[];
  readonly tags: readonly string[];
  readonly tables: readonly string[];
  readonly everything: boolean;
  readonly names: readonly string[];
}

/** Invalidates keys, tags and tables, and sees to it that what cannot be delivered is not lost. */
export class Invalidator {
  readonly #options: InvalidatorOptions;

  constructor(options: InvalidatorOptions) {
    this.#options = options;
  }

  /**
   * Resolves to whether it was delivered: reads that begin afterwards see what is committed now. If not, this process
   * reads past the cache until it is. @throws {CacheInvalidationError} in place of `false` where that was configured.
   */
  async invalidate(targets: InvalidationTargets | 'everything'): Promise<boolean> {
    const told = this.#told(targets);
    if (told.names.length === 0) return true;
    const failure = await this.#complete(told.names, '', unknownFence);
    if (failure === undefined) return true;
    this.#failed(told, '', failure);
    if (this.#options.onFailure === 'report') return false;
    throw new CacheInvalidationError(
      `The invalidation was not delivered to the cache (${failure.message}). This process reads these keys and tags ` +
        'past the cache until it is, and tries again; other processes may serve what they had.',
      { cause: failure },
    );
  }

  /**
   * Announces an invalidation before the write is committed, so that it survives whatever happens in between; `writeMs`
   * is how long that may take. @throws {CacheInvalidationError} where that was configured: nothing must be committed.
   */
  async announce(targets: InvalidationTargets, writeMs: number): Promise<PendingInvalidation> {
    const told = this.#told(targets);
    const { names } = told;
    const id = newId();
    const failure = await this.#mark(names, id, writeMs + markBeyondMs);
    if (failure !== undefined && this.#options.onFailure === 'throw') {
      throw new CacheInvalidationError(
        `The invalidation could not be announced to the cache (${failure.message}), and ` +
          "cache.onInvalidationFailure is 'throw': nothing was committed. Try again, or look at the cache.",
        { cause: failure },
      );
    }
    // An order that was answered too late may have been carried out: the mark is ended by its id in any case.
    return {
      committed: async (fence) => {
        const late = await this.#complete(names, id, fence);
        if (late !== undefined) this.#failed(told, id, late);
      },
      rolledBack: async () => {
        // A mark that stays because of a failure ends by itself.
        await this.#complete(names, id, undefined);
      },
      inDoubt: () => {
        // Without a mark the quarantine stands for it, in this process.
        if (failure !== undefined) this.#failed(told, id, failure, markBeyondMs);
      },
    };
  }

  #told(targets: InvalidationTargets | 'everything'): Told {
    const { names, tables: followed } = this.#options;
    if (targets === 'everything') {
      return { keys: [], tags: [], tables: [], everything: true, names: [names.everything] };
    }
    const { keys = [], tags = [], tables: named = [] } = targets;
    const tables = [...new Set(named.map((table) => followed.nameOf(table)))];
    const all = [
      ...keys.map((key) => names.entry(key)),
      ...tags.map((tag) => names.tag(tag)),
      ...tables.map((table) => names.table(table)),
    ];
    return { keys, tags, tables, everything: false, names: [...new Set(all)] };
  }

  #mark(names: readonly string[], id: string, ms: number): Promise<StoreAway | undefined> {
    return this.#try((guard, era) =>
      guard.mark(
        era,
        names.map((name) => ({ name, id, gen: newId(), ms, keepMs: ms + keepMs })),
      ),
    );
  }

  async #complete(
    names: readonly string[],
    id: string,
    fence: Fence | undefined,
  ): Promise<StoreAway | undefined> {
    const beganAt = performance.now();
    const orders: readonly CompleteOrder[] = names.map((name) => ({ name, id, gen: newId(), fence, keepMs }));
    const failure = await this.#try((guard, era) => guard.complete(era, orders));
    if (failure !== undefined || fence === undefined) return failure;
    const { stats, register } = this.#options;
    // Counted from now: had the mark been lost before, the value may have been stored once more, and copied.
    const end = await register?.lastEnd();
    if (end !== undefined) await until(end);
    stats.counts.invalidations += names.length;
    stats.counts.invalidationMs += performance.now() - beganAt;
    return undefined;
  }

  async #try(ask: (guard: StoreGuard, era: Era) => Promise<void>): Promise<StoreAway | undefined> {
    const { guard, era: currentEra } = this.#options;
    try {
      if (currentEra() === undefined) await guard.start();
      const era = currentEra();
      if (era === undefined) return new StoreAway('the cache is away');
      await ask(guard, era);
      return undefined;
    } catch (error) {
      if (error instanceof StoreAway) return error;
      throw error;
    }
  }

  #failed({ names, ...told }: Told, id: string, { message }: StoreAway, holdMs = 0): void {
    const { quarantine, events, stats, copies } = this.#options;
    // Records leave the quarantine once they are delivered; what was copied of them before must not be met then.
    copies?.clear();
    stats.counts.failedInvalidations += 1;
    const isRetried = quarantine.add(names, id, holdMs);
    events.emit('cache:invalidation-failed', { ...told, reason: message, isRetried });
  }
}

/** By `performance.now()`. Node's timers may fire a little early. */
async function until(end: number): Promise<void> {
  for (let leftMs = end - performance.now(); leftMs > 0; leftMs = end - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(leftMs)));
  }
}
