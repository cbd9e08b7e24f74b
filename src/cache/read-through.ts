import { afterPrimaryRead } from '../consistency/floor.ts';
import type { Limiter } from '../pool/limiter.ts';
import {
  type CachedRead,
  gensOf,
  type Hit,
  type Landed,
  type Load,
  type Loaded,
  type Trip,
} from './cached-value.ts';
import { unpack } from './codec.ts';
import type { Copies } from './copies.ts';
import type { CopyRegister } from './copy-register.ts';
import { type Flight, Flights } from './flights.ts';
import { refreshDue } from './judge.ts';
import { landing } from './landing.ts';
import { keepExpiredMs, keepMs, type Loading } from './loading.ts';
import { fingerprint, generationsOf, newId, type RecordNames } from './names.ts';
import type { Serving } from './serving.ts';
import type { CacheStats } from './stats.ts';
import type { Era, Filled, Opened, SeenRecord } from './store.ts';
import { StoreAway, type StoreGuard } from './store-guard.ts';

export interface ReadThroughOptions {
  readonly guard: StoreGuard;
  readonly stats: CacheStats;
  readonly names: RecordNames;
  readonly era: () => Era | undefined;
  /** Whether an invalidation of one of the records is still to be delivered. */
  readonly isQuarantined: (names: readonly string[]) => boolean;
  readonly serving: Serving;
  readonly loading: Loading;
  /** Where this process keeps copies, if it does. */
  readonly local: { readonly copies: Copies; readonly register: CopyRegister } | undefined;
  /** Whether a value ends when the cache is cleared. */
  readonly clearable: boolean;
  /** How eagerly values are loaded again before they expire; 0: not at all. */
  readonly earlyRefresh: number;
  /** For reads past the cache. */
  readonly limiter: Limiter;
}

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
  /** Entries that this process is loading again while it serves them. */
  readonly #refreshing = new Set<string>();

  constructor(options: ReadThroughOptions) {
    this.#options = options;
  }

  /** Rejects with what the load rejects with, and with `Failed` at the deadline of the read. */
  async read<T>(request: CachedRead<T>): Promise<T> {
    const { names, era: currentEra, isQuarantined, clearable } = this.#options;
    const all = [names.entry(request.key)];
    for (const tag of request.tags) all.push(names.tag(tag));
    for (const table of request.tables) all.push(names.table(table));
    if (clearable) all.push(names.everything);
    const era = currentEra();
    if (era === undefined || isQuarantined(all)) return await this.#bypass(request);
    let landed: Landed | undefined;
    try {
      const trip = { request: request as CachedRead<unknown>, era, names: all };
      const copied = this.#copied(trip);
      const copy = copied instanceof Promise ? await copied : copied;
      landed = copy === undefined ? await this.#lookUp(trip) : this.#hit(trip, copy);
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
    }
    if (landed !== undefined) return landed.value as T;
    return await this.#bypass(request);
  }

  #copied(trip: Trip): Hit | undefined | Promise<Hit | undefined> {
    const { local, serving, stats } = this.#options;
    const copy = local?.copies.find(trip);
    if (copy === undefined) return undefined;
    const served = serving.serveCopy(copy, trip);
    if (served instanceof Promise) {
      return served.then((hit) => {
        if (hit !== undefined) stats.counts.copyHits += 1;
        return hit;
      });
    }
    if (served !== undefined) stats.counts.copyHits += 1;
    return served;
  }

  /** `undefined`: the caller has to load for itself. */
  async #lookUp(trip: Trip): Promise<Landed | undefined> {
    const { guard, serving, local } = this.#options;
    const { era, names } = trip;
    if (local === undefined) {
      const records = await guard.get(era, names);
      const served = serving.serve(trip, records);
      const hit = served instanceof Promise ? await served : served;
      return hit === undefined ? await this.#miss(trip, records) : this.#hit(trip, hit);
    }
    const { copies, register } = local;
    const asked = { at: performance.now(), round: copies.round };
    const known = register.known(era);
    const records = [...(await guard.get(era, [...names, register.name]))];
    const entry = records.pop();
    const hit = await serving.serve(trip, records);
    if (hit === undefined) return await this.#miss(trip, records);
    if (register.allows(known, era, entry)) copies.take(trip, hit, asked);
    return this.#hit(trip, hit);
  }

  #hit(trip: Trip, hit: Hit): Hit {
    const { guard, stats, earlyRefresh } = this.#options;
    stats.counts.hits += 1;
    const due = refreshDue(hit.filled, { now: guard.now(), chance: Math.random(), earlyRefresh });
    if (due === 'expired') stats.counts.servedStale += 1;
    if (due !== undefined) void this.#refresh(trip, hit.filled, due);
    return hit;
  }

  /** Loads a value again that is served meanwhile. Never rejects: what is there stays as it is. */
  async #refresh(trip: Trip, { by }: Pick<Filled, 'by'>, due: 'expired' | 'early'): Promise<void> {
    const { stats } = this.#options;
    const [entry = ''] = trip.names;
    if (this.#refreshing.has(entry)) return;
    this.#refreshing.add(entry);
    try {
      const load = await this.#open(trip, by);
      // Somebody else has it, or is loading it, or makes it old.
      if (load.opened[0]?.lease !== 'granted') return;
      if (due === 'early') stats.counts.refreshedEarly += 1;
      await this.#board(load).landed;
    } catch {
      stats.counts.failedRefreshes += 1;
    } finally {
      this.#refreshing.delete(entry);
    }
  }

  /** `undefined`: the caller has to load for itself. */
  async #miss(trip: Trip, records: readonly (SeenRecord | undefined)[]): Promise<Landed | undefined> {
    const { stats, serving } = this.#options;
    stats.counts.misses += 1;
    const gens = generationsOf(records, trip.era);
    const flight =
      (gens && this.#flights.find(flightKey(trip, gens))) ??
      (await this.#begin(trip, records[0]?.filled?.by ?? ''));
    if ('value' in flight) return flight;
    const landed = await landing(flight.landed, trip.request.deadline);
    if (flight.isOwn) return landed;
    if (landed.packed === undefined || !(await serving.hasSeen(landed.proven, trip.request)))
      return undefined;
    stats.counts.joined += 1;
    return { ...landed, value: unpack(landed.packed) };
  }

  /** Begins the load or joins it, unless somebody has stored the value meanwhile. */
  async #begin(trip: Trip, seenFill: string): Promise<Flight<Landed> | Landed> {
    const { guard, serving, stats } = this.#options;
    const load = await this.#open(trip, seenFill);
    if (load.opened[0]?.lease === 'filled') {
      const filled = await serving.serve(trip, await guard.get(trip.era, trip.names));
      if (filled !== undefined) {
        stats.counts.waited += 1;
        return filled;
      }
    }
    return this.#board(load);
  }

  #board(load: Load): Flight<Landed> {
    const { loading } = this.#options;
    const key = flightKey(load.trip, gensOf(load.opened));
    const flight = this.#flights.join(key, () => loading.begin(load));
    if (!flight.isOwn) void loading.release(load);
    return flight;
  }

  /** Learns the generation to load in, and asks for the lease. */
  async #open(trip: Trip, seenFill: string): Promise<Load> {
    const { guard, loading } = this.#options;
    const { era, names, request } = trip;
    const [entry = '', ...tagNames] = names;
    const tags = await this.#openTags(era, tagNames, request.ttlMs + request.staleMs);
    // Who loads another value, or with other tags than these, does not do it for this caller.
    const lease = `${fingerprint([request.what, ...gensOf(tags)])}.${newId()}`;
    const ms = loading.loadMs(request);
    const opening = {
      name: entry,
      gen: newId(),
      lease: { id: lease, ms, seenFill },
      keepMs: ms + keepExpiredMs,
    };
    try {
      const opened = [...(await guard.open(era, [opening])), ...tags];
      return { trip, opened, lease };
    } catch (error) {
      // It may have been granted too late for this caller, and would keep the others waiting.
      void loading.giveBack(trip, lease);
      throw error;
    }
  }

  /** Before the entry, so that the generations are older than the load. */
  async #openTags(era: Era, names: readonly string[], valueMs: number): Promise<readonly Opened[]> {
    if (names.length === 0) return [];
    const orders = names.map((name) => ({ name, gen: newId(), lease: undefined, keepMs: valueMs + keepMs }));
    return await this.#options.guard.open(era, orders);
  }

  /** Past the cache, with what the primary has now; a few at a time. */
  async #bypass<T>({ floor, deadline, load }: CachedRead<T>): Promise<T> {
    const { limiter, stats } = this.#options;
    stats.counts.bypassed += 1;
    // A load that does not end keeps nobody else from reading.
    const read = (): Promise<Loaded<T>> =>
      landing(load(afterPrimaryRead(floor, performance.now()), deadline), deadline);
    const { value } = await landing(limiter.run(read), deadline);
    return value;
  }
}

/** Whoever has seen the same generations may be given the same value. */
function flightKey({ request, names, era }: Trip, gens: readonly string[]): string {
  return JSON.stringify([names[0], request.what, era, gens]);
}
