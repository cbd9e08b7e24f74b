import type { InvalidationTargets } from '../config/call-options.ts';
import { isRedisCluster, type RedisTarget, redisClusterOf } from '../config/redis-target.ts';
import type { ResolvedCache } from '../config/types.ts';
import type { Floor } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import type { Required } from '../consistency/required-position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { Limiter } from '../pool/limiter.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { CachedRead } from './cached-value.ts';
import { Invalidator, type PendingInvalidation } from './invalidator.ts';
import { Loading } from './loading.ts';
import { RecordNames } from './names.ts';
import { Quarantine } from './quarantine.ts';
import { ReadThrough } from './read-through.ts';
import { Serving } from './serving.ts';
import { CacheStats, type CacheStatus } from './stats.ts';
import type { CacheStore, Era, StoreListener } from './store.ts';
import { StoreGuard } from './store-guard.ts';
import { connectRedisCluster } from './stores/connect-redis-cluster.ts';
import { MemoryStore } from './stores/memory-store.ts';
import { connectRedis } from './stores/redis-client.ts';
import { RedisStore } from './stores/redis-store.ts';

export interface CacheOptions {
  readonly config: ResolvedCache;
  readonly events: ClusterEmitter;
  /** The primary, the same in every process; `undefined` while none was found. */
  readonly primaryKey: () => string | undefined;
  /** What the primary has now; `undefined` when it does not tell. */
  readonly position: (deadline: Deadline) => Promise<Position | undefined>;
  /** What an answer must have seen to satisfy a floor. */
  readonly required: (floor: Floor, deadline: Deadline) => Promise<Required>;
  readonly timeoutMs: number;
}

/** The read-through cache of one cluster. */
export class Cache {
  readonly #guard: StoreGuard;
  readonly #stats = new CacheStats();
  readonly #quarantine: Quarantine;
  readonly #reads: ReadThrough;
  readonly #invalidator: Invalidator;

  constructor(options: CacheOptions) {
    const { config, events, primaryKey, position, required, timeoutMs } = options;
    const { readBudgetMs, writeBudgetMs, maxValueBytes, compressBytes } = config;
    const names = new RecordNames(config.namespace);
    const writeEra = (): Era | undefined => this.#era(primaryKey() ?? '');
    this.#quarantine = new Quarantine({ guard: () => this.#guard, era: writeEra });
    this.#guard = new StoreGuard({
      connect: (listener) => storeFor(config.redis?.(), listener),
      events,
      readBudgetMs,
      writeBudgetMs,
      onBack: () => void this.#quarantine.deliver(),
    });
    const [guard, stats] = [this.#guard, this.#stats];
    const serving = new Serving({ guard, stats, required });
    this.#reads = new ReadThrough({
      guard,
      stats,
      names,
      serving,
      loading: new Loading({
        guard,
        stats,
        serving,
        position,
        loadTimeoutMs: timeoutMs,
        maxValueBytes,
        compressBytes,
      }),
      era: () => {
        const primary = primaryKey();
        return primary === undefined ? undefined : this.#era(primary);
      },
      isQuarantined: (records) => this.#quarantine.includes(records),
      limiter: new Limiter(config.maxBypass),
    });
    this.#invalidator = new Invalidator({
      guard,
      stats,
      names,
      quarantine: this.#quarantine,
      events,
      era: writeEra,
      onFailure: config.onInvalidationFailure,
    });
  }

  status(): CacheStatus {
    const isAway = this.#guard.life === undefined;
    return this.#stats.status(isAway ? 'away' : 'ready', this.#quarantine.size);
  }

  /** {@link ReadThrough.read} */
  read<T>(request: CachedRead<T>): Promise<T> {
    return this.#reads.read(request);
  }

  /** {@link Invalidator.invalidate} */
  invalidate(targets: InvalidationTargets): Promise<boolean> {
    return this.#invalidator.invalidate(targets);
  }

  /** {@link Invalidator.announce} */
  announce(targets: InvalidationTargets, writeMs: number): Promise<PendingInvalidation> {
    return this.#invalidator.announce(targets, writeMs);
  }

  /** Tries once more to deliver what failed; afterwards no connection or timer is left. */
  async close(): Promise<void> {
    await this.#quarantine.close();
    this.#guard.close();
  }

  /** Another store, another life of it, or another primary begins a new one. */
  #era(primary: string): Era | undefined {
    const { life } = this.#guard;
    return life === undefined ? undefined : `${life}.${primary}`;
  }
}

function storeFor(target: RedisTarget | undefined, listener: StoreListener): CacheStore {
  if (target === undefined) return new MemoryStore();
  if (typeof target === 'string') return new RedisStore(connectRedis(target), listener);
  if (isRedisCluster(target)) return connectRedisCluster(redisClusterOf(target), listener);
  return new RedisStore(connectRedis(target), listener);
}
