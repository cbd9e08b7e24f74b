import { type Floor, isNoFloor } from '../consistency/floor.ts';
import type { Required } from '../consistency/required-position.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { CachedRead, Hit, StoredHit, Trip } from './cached-value.ts';
import { CorruptPayload, unpack, unseal } from './codec.ts';
import type { Copy } from './copies.ts';
import { copyOf } from './exact-values.ts';
import { type Fence, readFence } from './fence.ts';
import { servable } from './judge.ts';
import type { CacheStats } from './stats.ts';
import type { Filled, SeenRecord } from './store.ts';
import type { StoreGuard } from './store-guard.ts';

export interface ServingOptions {
  readonly guard: StoreGuard;
  readonly stats: CacheStats;
  /** What an answer must have seen to satisfy a floor. */
  readonly required: (floor: Floor, deadline: Deadline) => Promise<Required>;
}

/** What may be served to a read, at once or later; `undefined` for nothing. */
type MaybeNow<T> = T | undefined | Promise<T | undefined>;

/** Serves what records hold, to who may be given it. */
export class Serving {
  readonly #options: ServingOptions;

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  /** The value of the records, if it may be served to this read. At once, where the read has no floor. */
  serve(trip: Trip, records: readonly (SeenRecord | undefined)[]): MaybeNow<StoredHit> {
    const { request, era } = trip;
    const { what, staleMs } = request;
    const filled = servable(records, { era, what, now: this.#options.guard.now(), staleMs });
    if (filled === undefined) return undefined;
    if (isNoFloor(request.floor)) return this.#unpacked(filled);
    return this.hasSeen(filled.proven, request).then((has) => (has ? this.#unpacked(filled) : undefined));
  }

  /** The value of a copy, if it may be served to this read. At once, where the read has no floor. */
  serveCopy({ value, filled }: Copy, { request }: Trip): MaybeNow<Hit> {
    if (filled.freshUntil + request.staleMs <= this.#options.guard.now()) return undefined;
    const hit = (): Hit => ({ value: copyOf(value), packed: undefined, proven: filled.proven, filled });
    if (isNoFloor(request.floor)) return hit();
    return this.hasSeen(filled.proven, request).then((has) => (has ? hit() : undefined));
  }

  /** Whether what has seen `proven` has seen all that a read must see. */
  async hasSeen(proven: Fence, { floor, deadline }: CachedRead<unknown>): Promise<boolean> {
    if (isNoFloor(floor)) return true;
    const required = await this.#options.required(floor, deadline);
    if (typeof required === 'string') return required === 'nothing';
    const position = readFence(proven);
    return typeof position !== 'string' && position.vendor === required.vendor && position.contains(required);
  }

  #unpacked(filled: Filled): StoredHit | undefined {
    try {
      const packed = unseal(filled.payload);
      this.#options.stats.counts.bytesRead += filled.payload.length;
      return { value: unpack(packed), packed, proven: filled.proven, filled };
    } catch (error) {
      if (!(error instanceof CorruptPayload)) throw error;
      this.#options.stats.counts.corrupt += 1;
      return undefined;
    }
  }
}
