import { afterPrimaryRead, type Floor, isNoFloor } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import type { Required } from '../consistency/required-position.ts';
import type { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { interruptedWait } from '../resilience/interruption.ts';
import { CorruptPayload, pack, seal, unpack, unseal } from './codec.ts';
import { type Fence, readFence } from './fence.ts';
import { Flights } from './flights.ts';
import { servable } from './judge.ts';
import { type LoadNeed, loadNeed } from './load-need.ts';
import { fingerprint, generationsOf, newId, proofOf, type RecordNames } from './names.ts';
import type { CacheStats, FillRejection } from './stats.ts';
import type { CompleteOrder, Era, Opened, SeenRecord } from './store.ts';
import { StoreAway, type StoreGuard } from './store-guard.ts';

/** What a load has brought. */
export interface Loaded<T> {
  readonly value: T;
  /** The primary lacks a part of what had to be seen, after it was waited for. */
  readonly isLost: boolean;
}

/** A value that may be cached, and how to get it otherwise. */
export interface CachedRead<T> {
  readonly key: string;
  readonly tags: readonly string[];
  /** Which value it is: another one under the same key is not served. */
  readonly what: string;
  readonly ttlMs: number;
  /** For a value that is nothing, as {@link isNothing} says. */
  readonly negativeTtlMs: number;
  readonly isNothing: (value: T) => boolean;
  /** The least that the answer must have seen. */
  readonly floor: Floor;
  readonly deadline: Deadline;
  /** Gets the value from where it has seen `floor`. */
  readonly load: (floor: Floor, deadline: Deadline) => Promise<Loaded<T>>;
}

export interface ReadThroughOptions {
  readonly guard: StoreGuard;
  readonly stats: CacheStats;
  readonly names: RecordNames;
  readonly era: () => Era | undefined;
  /** Whether an invalidation of one of the records is still to be delivered. */
  readonly isQuarantined: (names: readonly string[]) => boolean;
  /** What the primary has now; `undefined` when it does not tell. */
  readonly position: (deadline: Deadline) => Promise<Position | undefined>;
  /** What an answer must have seen to satisfy a floor. */
  readonly required: (floor: Floor, deadline: Deadline) => Promise<Required>;
  /** For reads past the cache. */
  readonly limiter: Limiter;
  readonly loadTimeoutMs: number;
  readonly maxValueBytes: number;
  readonly compressBytes: number;
}

/** One read on its way. */
interface Trip {
  readonly request: CachedRead<unknown>;
  readonly era: Era;
  /** The records of the key and of its tags. */
  readonly names: readonly string[];
}

/** A load that has ended, for whoever waited for it. */
interface Landed {
  readonly value: unknown;
  /** For each of the others a value of its own; `undefined` when that cannot be made. */
  readonly packed: Buffer | undefined;
  readonly proven: Fence;
}

interface Load {
  readonly trip: Trip;
  readonly opened: readonly Opened[];
  readonly lease: string;
}

/** How long a record without a value is kept: while it is there, a miss need not ask the primary where it stands. */
const keepMs = 600_000;

/** How much longer than its value an entry is kept. */
const keepExpiredMs = 60_000;

/** Values end up to this share of their time earlier, so that those filled together are not loaded together again. */
const ttlJitter = 0.1;

/** The longest wait for another process's load. */
const longestWaitMs = 1_000;
const firstPauseMs = 2;
const longestPauseMs = 50;

/**
 * Answers reads from the cache, or loads and stores. No answer is older than the last invalidation that was completed
 * before the read began:
 *
 * - A value is served while the record has the generation that it was loaded in: each invalidation begins a new one.
 * - A load sees what the last invalidation asks for (the fence), or what the primary has now where nobody knows.
 * - A value is stored only while the lease is there that was taken before it was loaded: invalidations take it away.
 * - Who joins another caller's load has seen its generation in the record after beginning to read.
 */
export class ReadThrough {
  readonly #options: ReadThroughOptions;
  readonly #flights = new Flights<Landed>();

  constructor(options: ReadThroughOptions) {
    this.#options = options;
  }

  /** Rejects with what the load rejects with, and with {@link Failed} at the deadline of the read. */
  async read<T>(request: CachedRead<T>): Promise<T> {
    const { names, era: currentEra, isQuarantined } = this.#options;
    const all = [names.entry(request.key), ...request.tags.map((tag) => names.tag(tag))];
    const era = currentEra();
    if (era === undefined || isQuarantined(all)) return await this.#bypass(request);
    let landed: Landed | undefined;
    try {
      landed = await this.#lookUp({ request: request as CachedRead<unknown>, era, names: all });
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
    }
    if (landed !== undefined) return landed.value as T;
    return await this.#bypass(request);
  }

  /** `undefined`: the caller has to load for itself. */
  async #lookUp(trip: Trip): Promise<Landed | undefined> {
    const { guard, stats } = this.#options;
    const records = await guard.get(trip.era, trip.names);
    const hit = await this.#serve(trip, records);
    if (hit !== undefined) {
      stats.counts.hits += 1;
      return hit;
    }
    stats.counts.misses += 1;
    const gens = generationsOf(records, trip.era);
    const flight =
      (gens && this.#flights.find(flightKey(trip, gens))) ??
      (await this.#open(trip, records[0]?.filled?.by ?? ''));
    if ('value' in flight) return flight;
    const landed = await landing(flight.landed, trip.request.deadline);
    if (flight.isOwn) return landed;
    if (landed.packed === undefined || !(await this.#hasSeen(landed.proven, trip.request))) return undefined;
    stats.counts.joined += 1;
    return { ...landed, value: unpack(landed.packed) };
  }

  /** The value of the records, if it may be served to this read. */
  async #serve(
    { request, era }: Trip,
    records: readonly (SeenRecord | undefined)[],
  ): Promise<Landed | undefined> {
    const { guard, stats } = this.#options;
    const filled = servable(records, { era, what: request.what, now: guard.now() });
    if (filled === undefined || !(await this.#hasSeen(filled.proven, request))) return undefined;
    try {
      const packed = unseal(filled.payload);
      return { value: unpack(packed), packed, proven: filled.proven };
    } catch (error) {
      if (!(error instanceof CorruptPayload)) throw error;
      stats.counts.corrupt += 1;
      return undefined;
    }
  }

  async #hasSeen(proven: Fence, { floor, deadline }: CachedRead<unknown>): Promise<boolean> {
    if (isNoFloor(floor)) return true;
    const required = await this.#options.required(floor, deadline);
    if (typeof required === 'string') return required === 'nothing';
    const position = readFence(proven);
    return typeof position !== 'string' && position.vendor === required.vendor && position.contains(required);
  }

  /** Learns the generation to load in, and begins the load or joins it. */
  async #open(trip: Trip, seenFill: string): Promise<ReturnType<Flights<Landed>['join']> | Landed> {
    const { guard } = this.#options;
    const { era, names, request } = trip;
    const [entry = '', ...tagNames] = names;
    const tags = await this.#openTags(era, tagNames, request.ttlMs);
    // Who loads another value, or with other tags than these, does not do it for this caller.
    const lease = `${fingerprint([request.what, ...gensOf(tags)])}.${newId()}`;
    const ms = this.#loadMs(request);
    const opening = {
      name: entry,
      gen: newId(),
      lease: { id: lease, ms, seenFill },
      keepMs: ms + keepExpiredMs,
    };
    const opened = [...(await guard.open(era, [opening])), ...tags];
    if (opened[0]?.lease === 'filled') {
      const filled = await this.#serve(trip, await guard.get(era, names));
      if (filled !== undefined) {
        this.#options.stats.counts.waited += 1;
        return filled;
      }
    }
    const key = flightKey(trip, gensOf(opened));
    return this.#flights.join(key, () => this.#begin({ trip, opened, lease }));
  }

  /** Before the entry, so that the generations are older than the load. */
  async #openTags(era: Era, names: readonly string[], ttlMs: number): Promise<readonly Opened[]> {
    if (names.length === 0) return [];
    const orders = names.map((name) => ({ name, gen: newId(), lease: undefined, keepMs: ttlMs + keepMs }));
    return await this.#options.guard.open(era, orders);
  }

  #begin(load: Load): { readonly landed: Promise<Landed>; readonly after: Promise<void> } {
    let stored: Promise<void> | undefined;
    const landed = this.#land(load, (storing) => {
      stored = storing;
    });
    const after = landed.then(
      () => stored,
      () => this.#release(load, undefined),
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
    const deadline = new Deadline(this.#loadMs(request));
    stats.counts.loads += 1;
    const need = await loadNeed(load.opened, request.floor, () => {
      stats.counts.strongLoads += 1;
      return position(deadline);
    });
    const { value, isLost } = await request.load(need.floor, deadline);
    const packed = pack(value);
    onStore(isLost ? this.#giveUpLost(load) : this.#store(load, need, { value, packed }));
    return { value, packed, proven: need.proven };
  }

  /** Another process is loading it: looks whether it has, until it takes too long or something is invalidated. */
  async #awaitOther({ trip, opened }: Load, heldMs: number): Promise<Landed | undefined> {
    const wait = new Deadline(Math.min(heldMs, longestWaitMs));
    const gens = gensOf(opened).join();
    try {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
        if ((await wait.sleep(pauseMs * (0.5 + Math.random()))) !== undefined) return undefined;
        const records = await this.#options.guard.get(trip.era, trip.names);
        const served = await this.#serve(trip, records);
        if (served !== undefined) return served;
        if (generationsOf(records, trip.era)?.join() !== gens) return undefined;
      }
    } catch (error) {
      if (error instanceof StoreAway) return undefined;
      throw error;
    }
  }

  async #store(
    load: Load,
    need: LoadNeed,
    { value, packed }: { readonly value: unknown; readonly packed: Buffer | undefined },
  ): Promise<void> {
    const { guard, stats, maxValueBytes, compressBytes } = this.#options;
    const { trip, opened, lease } = load;
    const { request, era } = trip;
    const [name = ''] = trip.names;
    if (opened[0]?.lease !== 'granted' || opened.some(({ isPending }) => isPending)) {
      stats.rejected('no-lease');
      await this.#release(load, undefined);
      return;
    }
    const payload = packed === undefined ? undefined : await seal(packed, compressBytes);
    if (payload === undefined || payload.length > maxValueBytes) {
      stats.rejected(payload === undefined ? 'inexact' : 'too-large');
      await this.#release(load, undefined);
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
      proven: need.proven,
      payload,
      ttlMs,
      keepMs: ttlMs + keepExpiredMs,
    };
    await this.#counted(guard.fill(era, order, need.learnt === undefined ? [] : settling(load, need.learnt)));
  }

  async #counted(filled: Promise<boolean>): Promise<void> {
    const { stats } = this.#options;
    const rejection = await filled.then(
      (isFilled): FillRejection | undefined => (isFilled ? undefined : 'invalidated'),
      (): FillRejection => 'away',
    );
    if (rejection === undefined) stats.counts.fills += 1;
    else stats.rejected(rejection);
  }

  /** Nobody will ever have what the fences ask for: they become unknown, and the next load learns a better one. */
  async #giveUpLost(load: Load): Promise<void> {
    this.#options.stats.rejected('position-lost');
    await this.#release(load, '?');
  }

  /** Lets others have the lease at once, since it is of no use here any more. */
  async #release({ trip, opened }: Load, fence: Fence | undefined): Promise<void> {
    const names = fence === undefined ? trip.names.slice(0, 1) : trip.names;
    if (fence === undefined && opened[0]?.lease !== 'granted') return;
    const orders: readonly CompleteOrder[] = names.map((name) => ({
      name,
      id: '',
      gen: newId(),
      fence,
      keepMs,
    }));
    await this.#options.guard.complete(trip.era, orders).catch(() => {
      // The lease ends by itself.
    });
  }

  /** A load goes on for others when the caller that began it has given up. */
  #loadMs({ deadline: { timeoutMs } }: CachedRead<unknown>): number {
    const { loadTimeoutMs } = this.#options;
    return timeoutMs === Number.POSITIVE_INFINITY ? loadTimeoutMs : Math.max(timeoutMs, loadTimeoutMs);
  }

  /** Past the cache, with what the primary has now; a few at a time. */
  async #bypass<T>({ floor, deadline, load }: CachedRead<T>): Promise<T> {
    const { limiter, stats } = this.#options;
    stats.counts.bypassed += 1;
    const read = async (): Promise<Loaded<T>> =>
      await load(afterPrimaryRead(floor, performance.now()), deadline);
    const { value } = await landing(limiter.run(read), deadline);
    return value;
  }
}

/** The tags of which nobody knew what they ask for. */
function settling({ trip, opened }: Load, fence: Fence): { name: string; gen: string; fence: Fence }[] {
  return trip.names.flatMap((name, index) => {
    const tag = opened[index];
    return index === 0 || tag?.fence !== '?' ? [] : [{ name, gen: tag.gen, fence }];
  });
}

function gensOf(opened: readonly Opened[]): readonly string[] {
  return opened.map(({ gen }) => gen);
}

/** Whoever has seen the same generations may be given the same value. */
function flightKey({ request, names, era }: Trip, gens: readonly string[]): string {
  return JSON.stringify([names[0], request.what, era, gens]);
}

/** Waits for work that goes on without this caller. */
function landing<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = deadline.onInterrupt((interruption) => {
      reject(new Failed(interruptedWait(interruption, 'answer', 'the value was still being loaded')));
    });
    work.then(resolve, reject).finally(cancel);
  });
}
