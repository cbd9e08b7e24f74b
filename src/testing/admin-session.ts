import type { Connection } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import type { LabAccount } from './lab.ts';
import { LabError } from './lab-error.ts';

/** One administrator's session with one server, opened when first used and again after it broke. */
export class AdminSession {
  readonly #socketPath: string;
  readonly #account: LabAccount;
  readonly #timeoutMs: number;
  #opening: Promise<Connection> | undefined;

  constructor(socketPath: string, account: LabAccount, timeoutMs: number) {
    this.#socketPath = socketPath;
    this.#account = account;
    this.#timeoutMs = timeoutMs;
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const connection = await this.#connection();
    const [rows] = await this.#inTime(connection, connection.query(sql, [...values]), sql);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  }

  /** Ends the session; the next query opens another. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.then(
      (connection) => connection.destroy(),
      () => {},
    );
  }

  #connection(): Promise<Connection> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = createConnection({
      socketPath: this.#socketPath,
      ...this.#account,
      connectTimeout: this.#timeoutMs,
      supportBigNumbers: true,
    });
    const forget = (): void => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    opening.then((connection) => {
      connection.on('error', forget);
      connection.on('end', forget);
    }, forget);
    this.#opening = opening;
    return opening;
  }

  async #inTime<T>(connection: Connection, answer: Promise<T>, sql: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        void this.close();
        connection.destroy();
        reject(new LabError(`no answer within ${this.#timeoutMs} ms: ${sql}`));
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([answer, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}
