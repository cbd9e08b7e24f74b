import type { Pool as ResourcePool } from 'generic-pool';
import type { ResolvedPool } from '../config/types.ts';
import { QueueFullError } from '../errors/errors.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { interruptedWait } from '../resilience/interruption.ts';
import { ownCommand } from './command.ts';
import type { Connection, KillQuery, Pulse } from './connection.ts';
import { Logins } from './logins.ts';
import { createResourcePool } from './resource-pool.ts';
import { WaitQueue } from './wait-queue.ts';

export interface PoolOptions {
  /** What errors call it: `primary 10.0.0.9:3306, epoch 3`. */
  readonly name: string;
  readonly settings: ResolvedPool;
  /** Opens a connection to the one server that this pool is for. Rejects with {@link Failed}. */
  readonly connect: (deadline: Deadline) => Promise<Connection>;
  readonly kill?: KillQuery | undefined;
  readonly epoch?: number | undefined;
  /** Told of each failure to open a connection. */
  readonly onConnectFailure: (failure: Failure) => void;
  /** Told when an open connection ended without the pool's doing. */
  readonly onConnectionLost: () => void;
}

/** What generic-pool is given instead of a connection that could not be opened: it must never see a rejection. */
class NoConnection {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}

type Resource = Connection | NoConnection;

/** A connection idle for longer is asked whether it lives before it is lent. */
const validateAfterMs = 500;

/** A connection that does not answer in this time is replaced. */
const validateTimeoutMs = 1_000;

const validation = ownCommand('DO 1');

/** The share by which connection lifetimes differ. */
const lifetimeJitter = 0.1;

/**
 * The connections to one server in one life (and one epoch): made for it and thrown away whole with {@link discard}.
 *
 * generic-pool holds them; waiting, deadlines, signals and the bound are ours, and it is never asked for more than
 * `max`. That keeps its traps closed: a rejecting `create` makes it spin without ever yielding, and neither a waiter
 * nor an idle resource can be taken back from it. So `create` always resolves, to {@link NoConnection} if need be.
 */
export class Pool {
  /** Answers on any connection of the pool. */
  readonly pulse: Pulse = { answers: 0 };
  readonly #options: PoolOptions;
  readonly #resources: ResourcePool<Resource>;
  readonly #waiters: WaitQueue<Connection>;
  readonly #logins: Logins;
  readonly #connections = new Set<Connection>();
  readonly #life = new AbortController();
  /** Lent to callers, or asked of generic-pool for a waiter. */
  #committed = 0;
  /** Requests to generic-pool that nothing has answered yet. */
  #unanswered = 0;
  /** Failed logins given to generic-pool, each as the answer to one request. */
  #refusals = 0;
  /** When a connection was asked that gave no answer: what has rested since before then is not asked, but replaced. */
  #silentSince = Number.NEGATIVE_INFINITY;
  /** What the last login failed with, until one succeeds. */
  #loginFailure: Failure | undefined;
  /** Why nobody gets a connection any more. */
  #discarded: Failure | undefined;

  constructor(options: PoolOptions) {
    const { settings } = options;
    this.#options = options;
    this.#waiters = new WaitQueue(
      (interruption) => new Failed(interruptedWait(interruption, 'connection', this.#whyNone())),
    );
    this.#logins = new Logins({
      connect: options.connect,
      isAwaited: () => this.#isAwaited,
      life: this.#life.signal,
    });
    this.#resources = createResourcePool<Resource>(
      { create: () => this.#create(), destroy: async (resource) => this.#close(resource) },
      { ...settings, isSpent: (resource) => resource instanceof NoConnection || this.#isSpent(resource) },
    );
  }

  /** Opens the warm minimum. */
  start(): void {
    this.#resources.start();
  }

  get inUse(): number {
    return this.#committed - this.#unanswered;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  get open(): number {
    return this.#connections.size;
  }

  /**
   * Lends a connection, which must come back through {@link release}. Rejects with {@link Failed} (outcome
   * `not-executed`) when none is to be had in time, or with {@link QueueFullError}.
   * A caller that has waited elsewhere already is not turned away again: `queued`.
   */
  acquire(deadline: Deadline, queued = false): Promise<Connection> {
    if (this.#discarded !== undefined) return Promise.reject(new Failed(this.#discarded));
    const { max, maxWaiting } = this.#options.settings;
    if (this.#committed < max && this.#waiters.size === 0 && this.#resources.available > 0) {
      return this.#lendIdle(deadline);
    }
    // Those for whom a connection can be opened do not count: with none open yet nobody would ever be let in.
    if (!queued && this.inUse + this.#waiters.size >= max + maxWaiting) {
      return Promise.reject(this.#queueFull());
    }
    return this.#wait(deadline);
  }

  /** Takes a connection back; one that is spent, dirty or old is closed instead of kept. */
  release(connection: Connection): void {
    connection.idleSince = performance.now();
    this.#handOver(connection);
  }

  #handOver(connection: Connection): void {
    if (!this.#mayKeep(connection)) {
      this.#committed -= 1;
      if (connection.usable) connection.quit();
      void this.#resources.destroy(connection);
      this.#serveNext();
      return;
    }
    if (this.#waiters.serve(connection)) return;
    this.#committed -= 1;
    void this.#resources.release(connection);
  }

  /** Turns away all who wait, for instance because it is not known when there will be a connection again. */
  refuseWaiting(failure: Failure): void {
    this.#waiters.refuseAll(new Failed({ ...failure, outcome: 'not-executed' }));
  }

  /** Ends every connection, in use or not, and turns away all who wait. The pool is of no use afterwards. */
  discard(failure: Failure): void {
    if (this.#discarded !== undefined) return;
    this.#discarded = { ...failure, outcome: 'not-executed' };
    this.#life.abort();
    for (const connection of this.#connections) connection.destroy(failure);
    this.#waiters.close(new Failed(this.#discarded));
    void this.#resources.drain().then(() => this.#resources.clear());
  }

  #wait(deadline: Deadline): Promise<Connection> {
    const waiting = this.#enqueue(deadline);
    this.#serveNext();
    return waiting;
  }

  #enqueue(deadline: Deadline): Promise<Connection> {
    if (this.#discarded !== undefined) return Promise.reject(new Failed(this.#discarded));
    return this.#waiters.wait(deadline);
  }

  /** The common case without a queue: lends the connection used last; one that has to be asked first is waited for. */
  async #lendIdle(deadline: Deadline): Promise<Connection> {
    this.#committed += 1;
    const resource = await this.#resources.acquire();
    if (!(resource instanceof NoConnection) && resource.usable && !hasRested(resource)) return resource;
    if (resource instanceof NoConnection) {
      // It was meant for a request of #serveNext, which goes on waiting.
      this.#committed -= 1;
      void this.#resources.destroy(resource);
      return await this.#wait(deadline);
    }
    this.#unanswered += 1;
    const waiting = this.#enqueue(deadline);
    void this.#serve(resource);
    return await waiting;
  }

  /** A connection that has rested is asked before it is lent: what is sent on a dead one has an unknown outcome. */
  async #isAlive(connection: Connection): Promise<boolean> {
    if (!connection.usable) return false;
    if (!hasRested(connection)) return true;
    if (connection.idleSince < this.#silentSince) return false;
    const askedAt = performance.now();
    try {
      await connection.run(validation, new Deadline(validateTimeoutMs, this.#life.signal));
      return true;
    } catch (error) {
      if (error instanceof Failed && error.failure.kind === 'timeout') this.#silentSince = askedAt;
      return false;
    }
  }

  /** Asks generic-pool for one more connection if somebody waits for it and the bound allows. */
  #serveNext(): void {
    if (this.#discarded !== undefined) return;
    const { max } = this.#options.settings;
    if (this.#committed >= max || this.#unanswered >= this.#waiters.size) return;
    this.#committed += 1;
    this.#unanswered += 1;
    this.#logins.hurry();
    void this.#resources.acquire().then((resource) => this.#serve(resource));
  }

  async #serve(resource: Resource): Promise<void> {
    if (resource instanceof NoConnection) {
      this.#unanswered -= 1;
      this.#committed -= 1;
      void this.#resources.destroy(resource);
      this.#waiters.refuse(new Failed(resource.failure));
      this.#serveNext();
      return;
    }
    if (!(await this.#isAlive(resource))) resource.destroy();
    this.#unanswered -= 1;
    this.#handOver(resource);
  }

  #whyNone(): string {
    const none = `no free connection to ${this.#options.name}`;
    return this.#loginFailure === undefined ? none : `${none}, and no new one: ${this.#loginFailure.message}`;
  }

  #queueFull(): QueueFullError {
    const { settings, name } = this.#options;
    return new QueueFullError(
      `${this.#waiters.size - this.#unanswered} operations already wait for one of ${settings.max} connections to ${name} ` +
        '(pool.maxWaiting). The statement was not sent. Raise pool.max, or send less at once.',
    );
  }

  #mayKeep(connection: Connection): boolean {
    return (
      this.#discarded === undefined &&
      !connection.inTransaction &&
      !connection.tainted &&
      !this.#isSpent(connection)
    );
  }

  /** It has ended, or lived as long as it may. */
  #isSpent(connection: Connection): boolean {
    if (!connection.usable) return true;
    return performance.now() >= connection.expiresAt;
  }

  /**
   * Opens a connection for generic-pool. While somebody waits, a failure is theirs; a connection of the
   * warm minimum that nobody waits for is tried again until it opens, somebody comes, or the pool is discarded.
   */
  async #create(): Promise<Resource> {
    for (;;) {
      try {
        return await this.#connect();
      } catch (error) {
        const { failure } = error as Failed;
        if (this.#discarded !== undefined) return this.#refuse(this.#discarded);
        this.#loginFailure = failure;
        this.#options.onConnectFailure(failure);
        if (this.#isAwaited) return this.#refuse(failure);
        await this.#logins.pause();
      }
    }
  }

  /** Somebody waits for a connection that is being opened. */
  get #isAwaited(): boolean {
    return this.#unanswered > this.#refusals;
  }

  #refuse(failure: Failure): NoConnection {
    this.#refusals += 1;
    return new NoConnection(failure);
  }

  async #connect(): Promise<Connection> {
    const { kill, epoch, settings, onConnectionLost } = this.#options;
    const connection = await this.#logins.open();
    this.#loginFailure = undefined;
    if (this.#discarded !== undefined) {
      connection.quit();
      throw new Failed(this.#discarded);
    }
    connection.pool = this;
    connection.pulse = this.pulse;
    connection.kill = kill;
    connection.epoch = epoch;
    if (settings.maxLifetimeMs > 0) {
      connection.expiresAt =
        performance.now() + settings.maxLifetimeMs * (1 - lifetimeJitter * Math.random());
    }
    this.#connections.add(connection);
    connection.onEnd = () => {
      this.#connections.delete(connection);
      if (this.#discarded === undefined && connection.lost) onConnectionLost();
    };
    return connection;
  }

  #close(resource: Resource): void {
    if (resource instanceof NoConnection) this.#refusals -= 1;
    else resource.quit();
  }
}

function hasRested({ idleSince }: Connection): boolean {
  return performance.now() - idleSince >= validateAfterMs;
}
