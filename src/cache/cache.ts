import type { InvalidationTargets } from '../config/invalidation-targets.ts';
import { isRedisCluster, type RedisTarget, redisClusterOf } from '../config/redis-target.ts';
import type { ResolvedCache } from '../config/types.ts';
import type { Floor } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import type { Required } from '../consistency/required-position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { Limiter } from '../pool/limiter.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { CachedRead } from './cached-value.ts';
import { Copies } from './copies.ts';
import { CopyRegister } from './copy-register.ts';
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
import { MemcachedStore } from './stores/memcached-store.ts';
import { MemoryStore } from './stores/memory-store.ts';
import { connectRedis } from './stores/redis-client.ts';
import { RedisStore } from './stores/redis-store.ts';
import { TableTags } from './table-tags.ts';

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
  /** The schema of a table that is named without one. */
  readonly database: string | undefined;
}

/** The read-through cache of one cluster. */
export class Cache {
  readonly #guard: StoreGuard;
  /** The tables that cached reads may follow. */
  readonly tables: TableTags;
  readonly clearable: boolean;
  readonly #stats = new CacheStats();
  readonly #closing = new AbortController();
  readonly #quarantine: Quarantine;
  readonly #copies: Copies | undefined;
  readonly #register: CopyRegister | undefined;
  readonly #reads: ReadThrough;
  readonly #invalidator: Invalidator;

  constructor(options: CacheOptions) {
    const { config, events, primaryKey, position, required, timeoutMs } = options;
    const { readBudgetMs, writeBudgetMs, maxValueBytes, compressBytes, l1 } = config;
    const names = new RecordNames(config.namespace);
    this.tables = new TableTags(config.tables, options.database);
    this.clearable = config.clearable;
    const writeEra = (): Era | undefined => this.#era(primaryKey() ?? '');
    const copies = l1 === undefined ? undefined : new Copies(l1.copyMs, l1.maxBytes);
    const target = config.redis?.();
    const register = mayHaveCopies(target)
      ? new CopyRegister({
          guard: () => this.#guard,
          era: writeEra,
          name: names.copies,
          copyMs: l1?.copyMs ?? 0,
        })
      : undefined;
    this.#copies = copies;
    this.#register = register;
    this.#quarantine = new Quarantine({ guard: () => this.#guard, era: writeEra });
    this.#guard = new StoreGuard({
      connect: (listener) => storeFor(config, listener),
      events,
      readBudgetMs,
      writeBudgetMs,
      onBack: () => {
        void this.#quarantine.deliver();
        void register?.enter();
      },
    });
    const [guard, stats] = [this.#guard, this.#stats];
    const serving = new Serving({ guard, stats, required });
    this.#reads = new ReadThrough({
      guard,
      stats,
      names,
      serving,
      local: copies && register && { copies, register },
      loading: new Loading({
        guard,
        stats,
        serving,
        position,
        loadTimeoutMs: timeoutMs,
        closing: this.#closing.signal,
        maxValueBytes,
        compressBytes,
      }),
      era: () => {
        const primary = primaryKey();
        return primary === undefined ? undefined : this.#era(primary);
      },
      isQuarantined: (records) => this.#quarantine.includes(records),
      clearable: config.clearable,
      earlyRefresh: config.earlyRefresh,
      limiter: new Limiter(config.maxBypass),
    });
    this.#invalidator = new Invalidator({
      guard,
      stats,
      names,
      tables: this.tables,
      quarantine: this.#quarantine,
      events,
      era: writeEra,
      register,
      copies,
      onFailure: config.onInvalidationFailure,
    });
  }

  status(): CacheStatus {
    return this.#stats.status({
      state: this.#guard.life === undefined ? 'away' : 'ready',
      quarantined: this.#quarantine.size,
      copies: this.#copies?.size ?? 0,
      copyBytes: this.#copies?.bytes ?? 0,
    });
  }

  /** Another primary was found, with which a new era begins. */
  primaryChanged(): void {
    void this.#register?.enter();
  }

  /** {@link ReadThrough.read} */
  read<T>(request: CachedRead<T>): Promise<T> {
    return this.#reads.read(request);
  }

  /** {@link Invalidator.invalidate} */
  invalidate(targets: InvalidationTargets | 'everything'): Promise<boolean> {
    return this.#invalidator.invalidate(targets);
  }

  /** {@link Invalidator.announce} */
  announce(targets: InvalidationTargets, writeMs: number): Promise<PendingInvalidation> {
    return this.#invalidator.announce(targets, writeMs);
  }

  /** Tries once more to deliver what failed; afterwards no connection or timer is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#quarantine.close();
    this.#guard.close();
  }

  /** Another store, another life of it, or another primary begins a new one. */
  #era(primary: string): Era | undefined {
    const { life } = this.#guard;
    return life === undefined ? undefined : `${life}.${primary}`;
  }
}

/** A copy may only be taken of what came in one answer with the register, which has a master of its own in a Redis Cluster. */
function mayHaveCopies(target: RedisTarget | undefined): boolean {
  return target !== undefined && (typeof target === 'string' || !isRedisCluster(target));
}

function storeFor({ redis, memcached }: ResolvedCache, listener: StoreListener): CacheStore {
  if (memcached !== undefined) return new MemcachedStore(memcached, listener);
  const target = redis?.();
  if (target === undefined) return new MemoryStore();
  if (typeof target === 'string') return new RedisStore(connectRedis(target), listener);
  if (isRedisCluster(target)) return connectRedisCluster(redisClusterOf(target), listener);
  return new RedisStore(connectRedis(target), listener);
}
