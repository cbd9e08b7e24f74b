import type { MemcachedPlace } from '../../config/memcached-target.ts';
import type { StoreListener } from '../store.ts';
import { boundsOf, type ClockBounds, narrowed, offsetIn } from './memcached-clock.ts';
import { MemcachedConnection } from './memcached-connection.ts';
import { identityOf, type MemcachedIdentity } from './memcached-identity.ts';
import { MemcachedRecords } from './memcached-records.ts';

/** A server that has said who it is, on the connection that is there now. */
interface Server {
  readonly life: string;
  readonly records: MemcachedRecords;
  readonly clock: ClockBounds;
  /** When its clock was looked at last. */
  readonly seenAt: number;
}

/** Connecting, and the first answers, take no longer. */
const longestIntroductionMs = 2_000;

const longestPauseMs = 1_000;

/** Two clocks drift apart in time. */
const clockAgeMs = 60_000;

/** Keeps one connection to a memcached. Nothing waits in here: without a connection there are no records to ask for. */
export class MemcachedClient {
  readonly #place: MemcachedPlace;
  readonly #listener: StoreListener;
  #connection: MemcachedConnection | undefined;
  #server: Server | undefined;
  /** The end of an introduction, or of a pause between two connections. */
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #offsetMs = 0;
  #closed = false;

  constructor(place: MemcachedPlace, listener: StoreListener) {
    this.#place = place;
    this.#listener = listener;
    this.#connect();
  }

  get life(): string | undefined {
    return this.#server?.life;
  }

  /** The server's clock. */
  now(): number {
    return performance.now() + this.#offsetMs;
  }

  /** `undefined` while it is not connected. */
  get records(): MemcachedRecords | undefined {
    const server = this.#server;
    if (server !== undefined && performance.now() - server.seenAt > clockAgeMs) {
      this.#server = { ...server, seenAt: performance.now() };
      void this.look().catch(() => {
        // The next one may tell.
      });
    }
    return server?.records;
  }

  /** Resolves when it answers, by then with a better notion of its clock. */
  async look(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || this.#server === undefined) throw new Error('memcached is not connected');
    await this.#introduce(connection);
  }

  reconnect(): void {
    if (this.#closed) return;
    this.#connection?.end('memcached does not answer');
    clearTimeout(this.#timer);
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#connection?.end('the cache was closed');
    clearTimeout(this.#timer);
  }

  #connect(): void {
    const connection = new MemcachedConnection(this.#place, {
      onOpen: () => void this.#introduce(connection).catch(({ message }: Error) => connection.end(message)),
      onEnd: (reason) => this.#lost(reason),
    });
    this.#connection = connection;
    this.#timer = setTimeout(
      () => connection.end('memcached does not say in time who it is'),
      longestIntroductionMs,
    );
  }

  /** Who answers, in which of its lives, and what its clock says. */
  async #introduce(connection: MemcachedConnection): Promise<void> {
    const askedAt = performance.now();
    const [stats, settings] = await Promise.all([
      connection.list('stats').then((told) => ({ told, answeredAt: performance.now() })),
      connection.list('stats settings'),
    ]);
    if (connection !== this.#connection) return;
    const identity = identityOf(stats.told, settings);
    const seen = boundsOf({ second: identity.second, askedAt, answeredAt: stats.answeredAt });
    if (this.#server === undefined) this.#begin(connection, identity, seen);
    else this.#goOn(this.#server, connection, identity, seen);
  }

  #begin(
    connection: MemcachedConnection,
    { life, itemBytes }: MemcachedIdentity,
    clock: ClockBounds | undefined,
  ): void {
    if (clock === undefined) throw new Error('memcached takes too long to tell the time');
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#know({
      life,
      clock,
      records: new MemcachedRecords(connection, itemBytes),
      seenAt: performance.now(),
    });
    this.#listener.onUp();
  }

  /** The same one is asked again. What stands between may have led to another server without a word. */
  #goOn(
    server: Server,
    connection: MemcachedConnection,
    { life }: MemcachedIdentity,
    seen: ClockBounds | undefined,
  ): void {
    if (life !== server.life) connection.end('another memcached answers on this connection');
    else if (seen !== undefined)
      this.#know({ ...server, clock: narrowed(server.clock, seen), seenAt: performance.now() });
  }

  #know(server: Server): void {
    this.#server = server;
    this.#offsetMs = offsetIn(server.clock);
  }

  #lost(reason: string): void {
    this.#connection = undefined;
    this.#server = undefined;
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#listener.onDown(reason);
    const pauseMs =
      Math.min(longestPauseMs, 50 * 2 ** Math.min(this.#failures, 10)) * (0.5 + Math.random() / 2);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), pauseMs).unref();
  }
}
