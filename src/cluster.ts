import type { CacheStatus } from './cache/stats.ts';
import {
  type CallOptions,
  checkCallOptions,
  checkCloseOptions,
  checkClosure,
  checkReplicaOptions,
  checkSessionOptions,
  checkWaitOptions,
  type KeyedTransactionOptions,
  type ReplicaOptions,
  type SessionOptions,
  type TransactionOptions,
} from './config/call-options.ts';
import { resolveConfig } from './config/resolve.ts';
import type { ClusterConfig, ResolvedConfig } from './config/types.ts';
import { ClosedError } from './errors/errors.ts';
import { AutoHandle } from './handles/auto-handle.ts';
import { CacheHandle } from './handles/cache-handle.ts';
import { CommitLedger } from './handles/commit-ledger.ts';
import { createCache } from './handles/create-cache.ts';
import { createLedger } from './handles/create-ledger.ts';
import type { KeyedResult } from './handles/once.ts';
import { PrimaryHandle } from './handles/primary-handle.ts';
import { PrimaryOnly } from './handles/primary-only.ts';
import { ReplicaHandle } from './handles/replica-handle.ts';
import type { DefaultRow } from './handles/row-shapes.ts';
import { runTransaction } from './handles/run-transaction.ts';
import { RunningOperations } from './handles/running-operations.ts';
import { type Services, shareServices } from './handles/services.ts';
import { SessionScope } from './handles/session-scope.ts';
import { Tokens } from './handles/tokens.ts';
import type { Transaction } from './handles/transaction.ts';
import { TransactionScope } from './handles/transaction-scope.ts';
import { ClusterEmitter } from './observe/emitter.ts';
import type { EventListener, EventName } from './observe/events.ts';
import { RetryBudget } from './resilience/budget.ts';
import { Deadline } from './resilience/deadline.ts';
import { Failed } from './resilience/failed.ts';
import type { Failure } from './resilience/failures.ts';
import { Retries } from './resilience/retries.ts';
import { toError } from './resilience/to-error.ts';
import type { ConsistencyStatus } from './routing/fresh-reads.ts';
import { ReadRouter } from './routing/read-router.ts';
import { MasterSet } from './topology/master-set.ts';
import type { MasterStatus } from './topology/master-status.ts';
import { Primary, type PrimaryStatus } from './topology/primary.ts';
import { ReplicaCollisions } from './topology/replica-collisions.ts';
import { ReplicaSet } from './topology/replica-set.ts';
import type { ReplicaStatus } from './topology/replica-status.ts';

/** A snapshot of what the cluster knows and does. */
export interface ClusterStatus {
  readonly primary: PrimaryStatus;
  readonly replicas: readonly ReplicaStatus[];
  /** The masters at their own addresses, as `masters` lists them. */
  readonly masters: readonly MasterStatus[];
  /** How reads that must see something found their server. */
  readonly consistency: ConsistencyStatus;
  /** What the cache has done; `undefined` where none is configured. */
  readonly cache: CacheStatus | undefined;
  /** Operations and transactions under way. */
  readonly running: number;
}

/** How long `ready()` waits, and what ends it earlier. */
export interface ReadyOptions {
  /** Default: `timeoutMs` of the configuration. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How long `close()` lets running work go on. */
export interface CloseOptions {
  /** How long running work may go on before its connections are destroyed. Default 5 000; 0 destroys at once. */
  readonly timeoutMs?: number;
}

const closeTimeoutMs = 5_000;

const unwindTimeoutMs = 1_000;

/** Every server that one `createCluster` call can reach, and the handles to use them with. */
export class Cluster implements AsyncDisposable {
  /** The read-through cache; its methods throw `ConfigError` where none is configured. */
  readonly cache: CacheHandle;
  readonly #services: Services;
  readonly #replicas: ReplicaSet;
  readonly #masters: MasterSet;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link createCluster}. */
  constructor(config: ResolvedConfig) {
    const events = new ClusterEmitter();
    const onHostBlocked = ({ name }: { readonly name: string }): void => {
      const remedy = `Run FLUSH HOSTS on ${name} (TRUNCATE performance_schema.host_cache on MySQL 8.4 and newer), and find out what breaks off logins from here.`;
      events.emit('host:blocked', { server: name, remedy });
    };
    const primary = new Primary({
      config,
      events,
      onHostBlocked,
      onIdentity: (identity) => {
        this.#replicas.primaryChanged(identity);
        this.#services.primaryOnly.learn();
        this.#services.cache?.primaryChanged();
      },
    });
    const collisions = new ReplicaCollisions(events);
    this.#replicas = new ReplicaSet({ config, events, collisions, primary, onHostBlocked });
    this.#masters = new MasterSet({ config, events, collisions, writers: primary.writers, onHostBlocked });
    const { attempts, backoffMs, budget } = config.retry;
    const tokens = new Tokens(config.tokens);
    const retries = new Retries({ attempts, backoffMs, budget: new RetryBudget(budget), events });
    const reads = new ReadRouter({ config, replicas: this.#replicas, primary, retries, events });
    this.#services = {
      config,
      primary,
      reads,
      events,
      retries,
      ledger: new CommitLedger({ config, primary, events }),
      running: new RunningOperations(),
      scope: new TransactionScope(),
      sessions: new SessionScope(tokens),
      tokens,
      primaryOnly: new PrimaryOnly({
        patterns: config.primaryOnly,
        database: config.session.database,
        primary,
        events,
        timeoutMs: config.timeoutMs,
      }),
      cache: createCache({ config, events, primary, reads }),
    };
    shareServices(this, this.#services);
    this.cache = new CacheHandle(this.#services);
    primary.start();
    this.#replicas.start();
    this.#masters.start();
  }

  /** Statements for the server behind the VIP. `options` hold for every call that does not say otherwise. */
  primary<Row extends object = DefaultRow>(options?: CallOptions): PrimaryHandle<Row> {
    checkCallOptions(options);
    return new PrimaryHandle<Row>(this.#services, options);
  }

  /** Reads that may be a little old, spread over the replicas. `options` hold for every call that does not say otherwise. */
  replica<Row extends object = DefaultRow>(options?: ReplicaOptions): ReplicaHandle<Row> {
    checkReplicaOptions(options);
    return new ReplicaHandle<Row>(this.#services, options);
  }

  /**
   * Statements that go where `vipsql/sql` classifies them: what is proved to be a pure read of no `primaryOnly` table to a
   * replica, where it may be a little old outside of a session, everything else to the primary. `options` hold for every
   * call that does not say otherwise.
   */
  auto<Row extends object = DefaultRow>(options?: ReplicaOptions): AutoHandle<Row> {
    checkReplicaOptions(options);
    return new AutoHandle<Row>(this.#services, options);
  }

  /**
   * Runs `fn` in a transaction on the primary: commits when it resolves, rolls back when it rejects. The closure may run
   * more than once. Rejects with {@link InDoubtError} when COMMIT was sent and never answered; with
   * `exactlyOnce: true` only when the commit ledger cannot tell either what became of it.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Does the transaction of a key once, whoever asks for it and how often: a repeat is given the result that the
   * closure gave then, which has to be plain JSON, and does not run it. The key is remembered for
   * `exactlyOnce.retentionMs`.
   */
  transaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options: KeyedTransactionOptions,
  ): Promise<KeyedResult<T>>;
  transaction(
    fn: (tx: Transaction) => Promise<unknown>,
    options?: TransactionOptions | KeyedTransactionOptions,
  ): Promise<unknown> {
    return runTransaction(this.#services, fn, options);
  }

  /**
   * Creates the table of `exactlyOnce` on the primary unless it is there, and checks that it can be used. Rejects with
   * {@link ExactlyOnceError} if not. Needs the privileges to create and to use it.
   */
  createLedger(options?: Pick<CallOptions, 'timeoutMs' | 'signal'>): Promise<void> {
    return createLedger(this.#services, options);
  }

  /**
   * Runs `fn` as one session: its reads of {@link replica} see what it has written before, and never less than it has
   * read before, on whichever server. It may be nested: an inner session sees what the outer one has seen, and the outer one
   * learns what the inner one has seen when that ends. Rejects with {@link InvalidTokenError} for a broken token, and
   * with whatever `fn` rejects with.
   */
  async session<T>(fn: () => Promise<T>, options?: SessionOptions): Promise<T> {
    checkClosure(fn);
    checkSessionOptions(options);
    return await this.#services.sessions.run(fn, options?.token);
  }

  /**
   * What carries the session around this call on, to the next request or another process, as `db.session(fn, { token })`.
   * `undefined` outside of a session, and before it has written or read anything.
   */
  token(): string | undefined {
    return this.#services.sessions.token();
  }

  /** Resolves once the primary answers and accepts writes; rejects at the deadline with what kept it. */
  async ready(options: ReadyOptions = {}): Promise<void> {
    checkWaitOptions(options);
    const { config, primary } = this.#services;
    const deadline = new Deadline(options.timeoutMs ?? config.timeoutMs, options.signal);
    try {
      await primary.ready(deadline);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      const { timeoutMs, signal } = deadline;
      throw toError(error.failure, { operation: 'read', timeoutMs, abortReason: signal?.reason });
    }
  }

  /** What the cluster knows and does at this moment. */
  status(): ClusterStatus {
    const { primary, reads, running, cache } = this.#services;
    return {
      primary: primary.status(),
      replicas: this.#replicas.status(),
      masters: this.#masters.status(),
      consistency: reads.consistency,
      cache: cache?.status(),
      running: running.count,
    };
  }

  /** Calls `listener` for each event of that name, in the course of what caused it: it should be quick. */
  on<E extends EventName>(event: E, listener: EventListener<E>): this {
    this.#services.events.on(event, listener);
    return this;
  }

  /** Calls `listener` for the next event of that name only. */
  once<E extends EventName>(event: E, listener: EventListener<E>): this {
    this.#services.events.once(event, listener);
    return this;
  }

  /** Takes a listener away again. */
  off<E extends EventName>(event: E, listener: EventListener<E>): this {
    this.#services.events.off(event, listener);
    return this;
  }

  /**
   * Turns away new work, lets running work end within `timeoutMs`, then destroys what is left.
   * Afterwards no socket, timer or listener of the cluster remains. Calling it again waits for the same end.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    this.#closing ??= this.#close(options.timeoutMs ?? closeTimeoutMs);
    await this.#closing;
  }

  /** What `await using` calls: {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    const { primary, reads, ledger, running, events, primaryOnly, cache } = this.#services;
    const finished = running.finish();
    ledger.close();
    await endWithin(finished, timeoutMs);
    const failure: Failure = {
      kind: 'lost',
      outcome: 'unknown',
      message: 'the cluster was closed',
      cause: new ClosedError('The cluster was closed.'),
      connection: 'destroy',
    };
    primary.close(failure);
    this.#replicas.close(failure);
    this.#masters.close();
    reads.close();
    primaryOnly.close();
    // What vipsql waits for has ended now; a closure of the caller's may still be busy with something else.
    await endWithin(finished, unwindTimeoutMs);
    await cache?.close();
    events.removeAll();
  }
}

/**
 * Checks the configuration and returns a cluster, which connects in the background: operations wait for it.
 *
 * @throws {@link ConfigError} naming every option that cannot be used.
 */
export function createCluster(config: ClusterConfig): Cluster {
  return new Cluster(resolveConfig(config));
}

async function endWithin(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
