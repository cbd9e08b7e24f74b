import { ownCommand, rowsOf } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';

/** Opening one takes a login; who waits for the answer has given up by then. */
const openTimeoutMs = 5_000;

/** A connection of vipsql's own to one server, opened when it is first needed: what waits on it keeps nobody else waiting. */
export class ControlConnection {
  readonly #open: (deadline: Deadline) => Promise<Connection>;
  readonly #turns = new Limiter(1);
  readonly #life = new AbortController();
  #connection: Connection | undefined;

  /** `open` must lead to the one server that this is for. */
  constructor(open: (deadline: Deadline) => Promise<Connection>) {
    this.#open = open;
  }

  /** Runs a statement, one after another; gives its first row. Rejects with `Failed`. */
  async ask(text: string, limitMs: number): Promise<Record<string, unknown> | undefined> {
    return (await this.askAll(text, limitMs))[0];
  }

  /** The same; gives every row. */
  async askAll(text: string, limitMs: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return await this.#turns.run(async () => {
      const connection = await this.#usable();
      return rowsOf(await connection.run(ownCommand(text), new Deadline(limitMs, this.#life.signal)));
    });
  }

  /** What is asked next is asked on a session of its own. */
  renew(): void {
    this.#connection?.quit();
    this.#connection = undefined;
  }

  /** Resolves after so long, or when this is closed. */
  async pause(ms: number): Promise<void> {
    await new Deadline(Number.POSITIVE_INFINITY, this.#life.signal).sleep(ms);
  }

  close(): void {
    this.#life.abort();
    this.#connection?.destroy();
  }

  async #usable(): Promise<Connection> {
    const known = this.#connection;
    if (known?.usable) return known;
    const connection = await this.#open(new Deadline(openTimeoutMs, this.#life.signal));
    if (this.#life.signal.aborted) connection.destroy();
    this.#connection = connection;
    return connection;
  }
}
