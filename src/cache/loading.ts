import { isNoFloor } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import { Deadline } from '../resilience/deadline.ts';
import { type CachedRead, gensOf, type Landed, type Load, type Trip } from './cached-value.ts';
import { pack, seal } from './codec.ts';
import { type Fence, unknownFence } from './fence.ts';
import { landing } from './landing.ts';
import { type LoadNeed, loadNeed } from './load-need.ts';
import { generationsOf, newId, proofOf } from './names.ts';
import type { Serving } from './serving.ts';
import type { CacheStats, FillRejection } from './stats.ts';
import { type Era, RecordTooLarge, type SettleOrder } from './store.ts';
import { StoreAway, type StoreGuard } from './store-guard.ts';

export interface LoadingOptions {
  readonly guard: StoreGuard;
  readonly stats: CacheStats;
  readonly serving: Serving;
  /** What the primary has now; `undefined` when it does not tell. */
  readonly position: (deadline: Deadline) => Promise<Position | undefined>;
  readonly loadTimeoutMs: number;
  /** Fires when nobody waits for loads any more. */
  readonly closing: AbortSignal;
  readonly maxValueBytes: number;
  readonly compressBytes: number;
}

/** How long a record without a value is kept: while it is there, a miss need not ask the primary where it stands. */
export const keepMs = 600_000;

/** How much longer than its value an entry is kept. */
export const keepExpiredMs = 60_000;

/** Values end up to this share of their time earlier, so that those filled together are not loaded together again. */
const ttlJitter = 0.1;

/** The longest wait for another process's load. */
const longestWaitMs = 1_000;
const firstPauseMs = 2;
const longestPauseMs = 50;

/** What a load has brought, and how long it took. */
interface Brought extends Landed {
  readonly tookMs: number;
}

/** Loads values and stores them, or takes them from another process that does. */
export class Loading {
  readonly #options: LoadingOptions;

  constructor(options: LoadingOptions) {
    this.#options = options;
  }

  /** `landed`: for whoever waits for the value. `after`: when it is stored, or will not be. */
  begin(load: Load): { readonly landed: Promise<Landed>; readonly after: Promise<void> } {
    let stored: Promise<void> | undefined;
    const landed = this.#land(load, (storing) => {
      stored = storing;
    });
    const after = landed.then(
      () => stored,
      () => this.release(load),
    );
    return { landed, after };
  }

  async #land(load: Load, onStore: (storing: Promise<void>) => void): Promise<Landed> {
    const { stats, position } = this.#options;
    const { request } = load.trip;
    const heldMs = load.opened[0]?.heldMs ?? 0;
    const other = heldMs > 0 ? await this.#awaitOther(load, heldMs) : undefined;
    if (other !== undefined) {
      stats.counts.waited += 1;
      return other;
    }
    const deadline = new Deadline(this.loadMs(request), this.#options.closing);
    const beganAt = performance.now();
    stats.counts.loads += 1;
    const need = await loadNeed(load.opened, request.floor, () => {
      stats.counts.strongLoads += 1;
      return position(deadline);
    });
    const { value, isLost, isProven } = await landing(request.load(need.floor, deadline), deadline);
    const tookMs = Math.round(performance.now() - beganAt);
    const packed = pack(value);
    const proven = isProven ? need.proven : need.provenAnyway;
    onStore(isLost ? this.#giveUpLost(load) : this.#store(load, need, { value, packed, proven, tookMs }));
    return { value, packed, proven: isLost ? '' : proven };
  }

  /** Another process is loading it: looks whether it has, until it takes too long or something is invalidated. */
  async #awaitOther({ trip, opened }: Load, heldMs: number): Promise<Landed | undefined> {
    const wait = new Deadline(Math.min(heldMs, longestWaitMs));
    const gens = gensOf(opened).join();
    try {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
        if ((await wait.sleep(pauseMs * (0.5 + Math.random()))) !== undefined) return undefined;
        const records = await this.#options.guard.get(trip.era, trip.names);
        const served = await this.#options.serving.serve(trip, records);
        if (served !== undefined) return served;
        if (generationsOf(records, trip.era)?.join() !== gens) return undefined;
      }
    } catch (error) {
      if (error instanceof StoreAway) return undefined;
      throw error;
    }
  }

  async #store(load: Load, need: LoadNeed, { value, packed, proven, tookMs }: Brought): Promise<void> {
    const { guard, stats, maxValueBytes, compressBytes } = this.#options;
    const { trip, opened, lease } = load;
    const { request, era } = trip;
    const [name = ''] = trip.names;
    if (opened[0]?.lease !== 'granted' || opened.some(({ isPending }) => isPending)) {
      stats.rejected('no-lease');
      await this.release(load);
      return;
    }
    const payload = packed === undefined ? undefined : await seal(packed, compressBytes);
    if (payload === undefined || payload.length > maxValueBytes) {
      await this.#drop(trip, payload === undefined ? 'inexact' : 'too-large');
      return;
    }
    const ttlMs =
      (request.isNothing(value) ? request.negativeTtlMs : request.ttlMs) * (1 - ttlJitter * Math.random());
    const proof = proofOf(request.what, gensOf(opened).slice(1));
    const order = {
      name,
      lease,
      fence: need.learnt,
      proof,
      proven,
      payload,
      loadMs: tookMs,
      ttlMs,
      keepMs: ttlMs + request.staleMs + keepExpiredMs,
    };
    const rejection = await guard
      .fill(era, order, need.learnt === undefined ? [] : settling(load, need.learnt))
      .then((isFilled) => (isFilled ? undefined : 'invalidated'), rejectionOf);
    if (rejection === 'too-large') await this.#drop(trip, rejection);
    else if (rejection !== undefined) stats.rejected(rejection);
    else {
      stats.counts.fills += 1;
      stats.counts.bytesStored += payload.length;
    }
  }

  /** What is there is what was before, and nothing else is going to take its place. */
  async #drop({ era, names: [name = ''] }: Trip, rejection: FillRejection): Promise<void> {
    this.#options.stats.rejected(rejection);
    await this.#complete(era, [name], undefined);
  }

  /**
   * Nobody will ever have what the fences ask for: they become unknown, and the next load learns a better one. Where it
   * may be the reader's own session that asks for it, the records stay as they are.
   */
  async #giveUpLost(load: Load): Promise<void> {
    const { trip } = load;
    this.#options.stats.rejected('position-lost');
    if (isNoFloor(trip.request.floor)) await this.#complete(trip.era, trip.names, unknownFence);
    else await this.release(load);
  }

  /** Lets others have the lease at once, where it is of no use here any more. Never rejects. */
  async release({ trip, opened, lease }: Load): Promise<void> {
    if (opened[0]?.lease === 'granted') await this.giveBack(trip, lease);
  }

  /** The same for a lease that was asked for, and perhaps granted. */
  async giveBack({ era, names: [name = ''] }: Trip, lease: string): Promise<void> {
    await this.#options.guard.release(era, { name, lease }).catch(() => {
      // It ends by itself.
    });
  }

  async #complete(era: Era, names: readonly string[], fence: Fence | undefined): Promise<void> {
    const orders = names.map((name) => ({ name, id: '', gen: newId(), fence, keepMs }));
    await this.#options.guard.complete(era, orders).catch(() => {
      // The lease ends by itself, and the next load meets the same fences.
    });
  }

  /** A load goes on for others when the caller that began it has given up. */
  loadMs({ deadline: { timeoutMs } }: CachedRead<unknown>): number {
    const { loadTimeoutMs } = this.#options;
    return timeoutMs === Number.POSITIVE_INFINITY ? loadTimeoutMs : Math.max(timeoutMs, loadTimeoutMs);
  }
}

function rejectionOf(error: unknown): FillRejection {
  return error instanceof StoreAway && error.cause instanceof RecordTooLarge ? 'too-large' : 'away';
}

/** The tags of which nobody knew what they ask for. */
function settling({ trip, opened }: Load, fence: Fence): SettleOrder[] {
  return trip.names.flatMap((name, index) => {
    const tag = opened[index];
    return index === 0 || tag?.fence !== '?' ? [] : [{ name, gen: tag.gen, fence }];
  });
}
