import type { Connection } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import type { Lab, LabAddress } from '../../../src/testing/index.ts';

/** Plain mysql2 connections of the application account, closed together. */
export class Sessions {
  readonly #lab: Lab;
  readonly #open: Connection[] = [];

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Connects to the VIP, or to a server's own address. */
  async connect(to: LabAddress = this.#lab.vip, connectTimeout = 1_000): Promise<Connection> {
    const { user, password, database } = this.#lab;
    const connection = await createConnection({
      host: to.host,
      port: to.port,
      user,
      password,
      database,
      connectTimeout,
    });
    // Its end is what the tests provoke.
    connection.on('error', () => {});
    this.#open.push(connection);
    return connection;
  }

  closeAll(): void {
    for (const connection of this.#open.splice(0)) connection.destroy();
  }
}

/** The only row of an answer. */
export async function one(connection: Connection, sql: string): Promise<Record<string, unknown>> {
  const [rows] = await connection.query(sql);
  const [row] = rows as Record<string, unknown>[];
  if (row === undefined) throw new Error(`no row: ${sql}`);
  return row;
}

/** The error that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: NodeJS.ErrnoException) => error,
  );
}

/** Whether the promise is still pending after that time. */
export async function isPendingAfter(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => false,
    () => false,
  );
  const pending = new Promise<boolean>((resolve) => setTimeout(resolve, ms, true));
  return Promise.race([settled, pending]);
}
