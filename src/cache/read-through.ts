import { afterPrimaryRead } from '../consistency/floor.ts';
import type { Limiter } from '../pool/limiter.ts';
import { type CachedRead, gensOf, type Landed, type Loaded, type Trip } from './cached-value.ts';
import { unpack } from './codec.ts';
import { type Flight, Flights } from './flights.ts';
import { landing } from './landing.ts';
import { keepExpiredMs, keepMs, type Loading } from './loading.ts';
import { fingerprint, generationsOf, newId, type RecordNames } from './names.ts';
import type { Serving } from './serving.ts';
import type { CacheStats } from './stats.ts';
import type { Era, Opened, SeenRecord } from './store.ts';
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

  constructor(options: ReadThroughOptions) {
    this.#options = options;
  }

  /** Rejects with what the load rejects with, and with `Failed` at the deadline of the read. */
  async read<T>(request: CachedRead<T>): Promise<T> {
    const { names, era: currentEra, isQuarantined, guard, serving, stats } = this.#options;
    const all = [names.entry(request.key)];
    for (const tag of request.tags) all.push(names.tag(tag));
    const era = currentEra();
    if (era === undefined || isQuarantined(all)) return await this.#bypass(request);
    let landed: Landed | undefined;
    try {
      const trip = { request: request as CachedRead<unknown>, era, names: all };
      const records = await guard.get(era, all);
      const served = serving.serve(trip, records);
      landed = served instanceof Promise ? await served : served;
      if (landed === undefined) landed = await this.#miss(trip, records);
      else stats.counts.hits += 1;
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
    }
    if (landed !== undefined) return landed.value as T;
    return await this.#bypass(request);
  }

  /** `undefined`: the caller has to load for itself. */
  async #miss(trip: Trip, records: readonly (SeenRecord | undefined)[]): Promise<Landed | undefined> {
    const { stats, serving } = this.#options;
    stats.counts.misses += 1;
    const gens = generationsOf(records, trip.era);
    const flight =
      (gens && this.#flights.find(flightKey(trip, gens))) ??
      (await this.#open(trip, records[0]?.filled?.by ?? ''));
    if ('value' in flight) return flight;
    const landed = await landing(flight.landed, trip.request.deadline);
    if (flight.isOwn) return landed;
    if (landed.packed === undefined || !(await serving.hasSeen(landed.proven, trip.request)))
      return undefined;
    stats.counts.joined += 1;
    return { ...landed, value: unpack(landed.packed) };
  }

  /** Learns the generation to load in, and begins the load or joins it. */
  async #open(trip: Trip, seenFill: string): Promise<Flight<Landed> | Landed> {
    const { guard, serving, loading } = this.#options;
    const { era, names, request } = trip;
    const [entry = '', ...tagNames] = names;
    const tags = await this.#openTags(era, tagNames, request.ttlMs);
    // Who loads another value, or with other tags than these, does not do it for this caller.
    const lease = `${fingerprint([request.what, ...gensOf(tags)])}.${newId()}`;
    const ms = loading.loadMs(request);
    const opening = {
      name: entry,
      gen: newId(),
      lease: { id: lease, ms, seenFill },
      keepMs: ms + keepExpiredMs,
    };
    const opened = [...(await guard.open(era, [opening])), ...tags];
    if (opened[0]?.lease === 'filled') {
      const filled = await serving.serve(trip, await guard.get(era, names));
      if (filled !== undefined) {
        this.#options.stats.counts.waited += 1;
        return filled;
      }
    }
    const key = flightKey(trip, gensOf(opened));
    const load = { trip, opened, lease };
    const flight = this.#flights.join(key, () => loading.begin(load));
    if (!flight.isOwn) void loading.release(load);
    return flight;
  }

  /** Before the entry, so that the generations are older than the load. */
  async #openTags(era: Era, names: readonly string[], ttlMs: number): Promise<readonly Opened[]> {
    if (names.length === 0) return [];
    const orders = names.map((name) => ({ name, gen: newId(), lease: undefined, keepMs: ttlMs + keepMs }));
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
