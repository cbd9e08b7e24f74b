import { fingerprint } from '../cache/names.ts';
import { tableIn } from '../cache/table-tags.ts';
import { type CacheReadOptions, checkCacheReadOptions } from '../config/cached-options.ts';
import { checkReplicaOptions, type ReplicaOptions } from '../config/call-options.ts';
import { checkInvalidation, type InvalidationTargets } from '../config/invalidation-targets.ts';
import { noFloor } from '../consistency/floor.ts';
import { ConfigError } from '../errors/errors.ts';
import { BoundedCache } from '../sql/bounded-cache.ts';
import { begin } from './begin.ts';
import { cacheOf } from './cache-of.ts';
import { cachedRead, followed } from './cached-read.ts';
import { LoadWatch } from './load-watch.ts';
import { floorFor } from './need-for.ts';
import { ReplicaHandle } from './replica-handle.ts';
import type { DefaultRow } from './row-shapes.ts';
import type { Least, Services } from './services.ts';

/** What a load for the cache reads from. */
export interface CacheSource {
  /**
   * A handle for reads that see what the cached value has to see. What is read elsewhere (`db.replica()`, another
   * database) may be older than the last invalidation; `db.primary()` is not.
   */
  replica<Row extends object = DefaultRow>(options?: ReplicaOptions): ReplicaHandle<Row>;
}

/** What became of an invalidation. */
export interface InvalidationResult {
  /**
   * Reads that begin from now on see what is committed now. If `false`, those of this process do, and it tries again;
   * other processes may serve what they had until then. See `cache:invalidation-failed`.
   */
  readonly delivered: boolean;
}

/** The cache itself: values that are not one query, and invalidation. */
export class CacheHandle {
  readonly #services: Services;
  /** Which value a key stands for, made lately. */
  readonly #known = new BoundedCache<string>(1_000);

  /** @internal */
  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * The value of `key`: from the cache, or as `load` makes it from reads on `source`. What cannot be stored exactly
   * (an instance of a class, a function) is handed on and not stored. `load` may serve several callers at once, and goes
   * on when one of them has given up. Rejects with what it rejects with.
   */
  async read<T>(
    key: string,
    load: (source: CacheSource) => Promise<T>,
    options: CacheReadOptions = {},
  ): Promise<T> {
    checkInvalidation({ keys: [key] });
    checkCacheReadOptions(options);
    const services = this.#services;
    const { deadline } = begin(services, 'db.cache.read()', options);
    const floor = floorFor(services, options) ?? noFloor;
    return await cachedRead(services, options, {
      key,
      what: this.#whatOf(key),
      tables: followed(services, (options.tables ?? []).map(tableIn)),
      floor,
      deadline,
      check: undefined,
      isNothing: (value: T) => value === null || value === undefined,
      load: async (least) => {
        const watch = new LoadWatch();
        const value = await load(sourceOf(services, { floor: least, told: (need) => watch.told(need) }));
        return { value, isLost: watch.isLost, isProven: watch.isProven };
      },
    });
  }

  #whatOf(key: string): string {
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    const what = fingerprint(['read', this.#services.config.session.database ?? '', key]);
    this.#known.set(key, what);
    return what;
  }

  /**
   * Makes what is cached of these keys, and of all values with one of these tags or of these tables, worthless: reads that
   * begin after this has resolved see what was committed before. For a write of this cluster `tx.invalidates` and `invalidates` do
   * the same and survive a crash. @throws {CacheInvalidationError} with `cache.onInvalidationFailure: 'throw'`.
   */
  async invalidate(targets: InvalidationTargets): Promise<InvalidationResult> {
    checkInvalidation(targets);
    followed(this.#services, (targets.tables ?? []).map(tableIn));
    return await this.#invalidate(targets, 'db.cache.invalidate()');
  }

  /**
   * The same for all values of the namespace. Nothing is deleted: they expire, or are replaced.
   * @throws {ConfigError} without `cache.clearable`.
   */
  async clear(): Promise<InvalidationResult> {
    if (!cacheOf(this.#services).clearable) {
      const rule = 'must be true to clear the cache, in all processes of the namespace';
      throw new ConfigError([{ path: 'cache.clearable', rule, received: 'false' }]);
    }
    return await this.#invalidate('everything', 'db.cache.clear()');
  }

  async #invalidate(targets: InvalidationTargets | 'everything', name: string): Promise<InvalidationResult> {
    const services = this.#services;
    const cache = cacheOf(services);
    services.scope.refuse(name);
    services.running.begin();
    try {
      return { delivered: await cache.invalidate(targets) };
    } finally {
      services.running.end();
    }
  }
}

function sourceOf(services: Services, least: Least): CacheSource {
  const inside: Services = { ...services, least };
  return {
    replica: <Row extends object>(options?: ReplicaOptions) => {
      checkReplicaOptions(options);
      return new ReplicaHandle<Row>(inside, options);
    },
  };
}
