import { Deadline } from '../resilience/deadline.ts';
import type { Connection } from './connection.ts';
import { Limiter } from './limiter.ts';

export interface LoginsOptions {
  /** Rejects with {@link Failed}. */
  readonly connect: (deadline: Deadline) => Promise<Connection>;
  /** Whether somebody waits for a connection that is being opened. */
  readonly isAwaited: () => boolean;
  /** Ends logins and pauses. */
  readonly life: AbortSignal;
}

/**
 * Logins in progress at once: many TLS logins together keep a server from finishing any. The first is alone, since
 * after a move all clients come at once; with TLS the others resume its session.
 */
const maxAtOnce = 2;

const longestAloneMs = 500;

const jitterMs = 10;

/** With two logins at once it is at most 80 a second that fail, however many callers try again and again. */
const restAfterFailureMs = 25;

const warmPauseMs = 1_000;

/** The logins of one pool, at a pace that a server bears to which many clients come at the same moment. */
export class Logins {
  readonly #options: LoginsOptions;
  readonly #turns = new Limiter(1, { jitterMs, restAfterFailureMs });
  /** Ends the pauses. */
  readonly #pausing = new Set<() => void>();
  #firstAt: number | undefined;

  constructor(options: LoginsOptions) {
    this.#options = options;
  }

  /** Logs in when its turn has come. */
  async open(): Promise<Connection> {
    const connection = await this.#turns.run(() => this.#login());
    this.#firstAt ??= performance.now();
    return connection;
  }

  /** The pause before a connection that nobody waits for is tried again; over at once by {@link hurry}. */
  async pause(ms = warmPauseMs): Promise<void> {
    const hurried = new AbortController();
    const end = (): void => hurried.abort();
    this.#pausing.add(end);
    const signal = AbortSignal.any([hurried.signal, this.#options.life]);
    await new Deadline(Number.POSITIVE_INFINITY, signal).sleep(ms);
    this.#pausing.delete(end);
  }

  /** Somebody has come to wait for a connection. */
  hurry(): void {
    for (const end of this.#pausing) end();
  }

  async #login(): Promise<Connection> {
    await this.#leaveToOthers();
    const { connect, life } = this.#options;
    const widen = (): void => this.#turns.widen(maxAtOnce);
    // One backend of a balanced address may hang while the others serve.
    const limit = setTimeout(widen, longestAloneMs);
    try {
      return await connect(new Deadline(Number.POSITIVE_INFINITY, life));
    } finally {
      clearTimeout(limit);
      widen();
    }
  }

  /** What nobody waits for yet lets the clients go first that have no connection at all. */
  async #leaveToOthers(): Promise<void> {
    if (this.#firstAt === undefined || this.#options.isAwaited()) return;
    const remainingMs = this.#firstAt + warmPauseMs - performance.now();
    if (remainingMs > 0) await this.pause(remainingMs);
  }
}
