import { AbortedError, ConnectionLostError } from '../../errors/errors.ts';
import type { Services } from '../../handles/services.ts';
import { ownCommand } from '../../pool/command.ts';
import type { Connection } from '../../pool/connection.ts';
import { Deadline } from '../../resilience/deadline.ts';

/** A connection that has rested is asked before it is used: what is sent on a dead one has an unknown outcome. */
const validateAfterMs = 500;

const validateTimeoutMs = 1_000;

/** The longest that a cancelled statement may take to end. */
const cancelTimeoutMs = 1_000;

/** Does something on a connection until the deadline. Rejects with `Failed`. */
export type Act<T> = (connection: Connection, deadline: Deadline) => Promise<T>;

/** Another connection, with what has been put upon it. */
export interface Reopened {
  readonly connection: Connection;
  close(): void;
}

export interface PrimaryLineParts {
  readonly services: Services;
  readonly connection: Connection;
  /** Opens another one, set up as Knex's pool sets up its own. Rejects with `Failed` or a `VipsqlError`. */
  readonly reopen: (deadline: Deadline) => Promise<Reopened>;
}

/** For whom a connection has to be ready. */
export interface ReadyTerms {
  /** {@link PrimaryLine.loan} when the statement was given. */
  readonly loan: number;
  readonly onlyReads: boolean;
}

/**
 * The connection below what Knex holds. It may be replaced as long as nothing was answered on it since it was lent; after
 * that it is what its borrower knows, and is not replaced when it ends.
 */
export class PrimaryLine {
  readonly #parts: PrimaryLineParts;
  #connection: Connection;
  #loan = 0;
  #fresh = true;
  #closed = false;
  /** A transaction is open that the cluster waits for when it closes. */
  #counted = false;
  /** The statement under way. */
  #running: Promise<unknown> | undefined;

  constructor(parts: PrimaryLineParts) {
    this.#parts = parts;
    this.#connection = parts.connection;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Counts loans, so that what was asked for in one is not begun in the next. */
  get loan(): number {
    return this.#loan;
  }

  /** May be lent again. */
  get valid(): boolean {
    const { usable, inTransaction, expiresAt } = this.#connection;
    return !this.#closed && usable && !inTransaction && performance.now() < expiresAt;
  }

  lent(): void {
    this.#loan += 1;
    this.#fresh = true;
  }

  /** A transaction that was left open ends with its connection. */
  returned(): void {
    this.#loan += 1;
    this.#connection.idleSince = performance.now();
    if (this.#connection.inTransaction) this.#connection.destroy();
    this.#countTransaction();
  }

  /** Gives the connection back. What runs on it fails with its outcome unknown. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loan += 1;
    if (this.#running !== undefined) this.#connection.destroy();
    this.#countTransaction();
    this.#connection.release();
  }

  /** Has the server stop the statement under way. Rejects when it did not end by that. */
  async cancel(): Promise<void> {
    const connection = this.#connection;
    const running = this.#running;
    // What has not been sent is not sent any more.
    this.#loan += 1;
    if (running === undefined) return;
    if (connection.kill === undefined) throw new Error('statements cannot be stopped through a proxy');
    await connection.kill(connection);
    const end = await endWithin(running, cancelTimeoutMs);
    // An order that came too late would hit the next statement.
    if (end !== 'failed') connection.destroy();
    if (end === 'late') throw new Error('the server did not stop the statement in time');
  }

  /** A connection on which a statement may be sent now, another one if nothing is lost by that. */
  async ready(deadline: Deadline, { loan, onlyReads }: ReadyTerms): Promise<Connection> {
    const { primary } = this.#parts.services;
    this.#checkLoan(loan);
    if (!this.#fresh) {
      if (this.#connection.usable) return this.#connection;
      throw lost(this.#connection);
    }
    await primary.admit(deadline, onlyReads);
    if (!(await isAlive(this.#connection))) await this.#replace(deadline);
    this.#checkLoan(loan);
    return this.#connection;
  }

  /** Rejects with what `act` rejects with. */
  async run<T>(connection: Connection, act: Act<T>, deadline: Deadline): Promise<T> {
    const running = this.#parts.services.primary.onGuest(connection, () => act(connection, deadline));
    this.#running = running;
    try {
      const result = await running;
      this.#fresh = false;
      return result;
    } finally {
      if (this.#running === running) this.#running = undefined;
      this.#countTransaction();
    }
  }

  async #replace(deadline: Deadline): Promise<void> {
    this.#connection.destroy();
    const other = await this.#parts.reopen(deadline);
    if (this.#closed) {
      other.close();
      return;
    }
    this.#connection.release();
    this.#connection = other.connection;
  }

  /** A statement that was given up before it was sent must not be sent later. */
  #checkLoan(loan: number): void {
    if (loan === this.#loan && !this.#closed) return;
    throw new AbortedError('Knex gave the statement up before it was sent. Nothing was executed.');
  }

  /** The cluster waits for open transactions when it closes, as it does for those of `db.transaction`. */
  #countTransaction(): void {
    const { running } = this.#parts.services;
    const isOpen = !this.#closed && this.#connection.usable && this.#connection.inTransaction;
    if (isOpen === this.#counted) return;
    this.#counted = isOpen;
    if (isOpen) running.hold();
    else running.end();
  }
}

async function isAlive(connection: Connection): Promise<boolean> {
  if (!connection.usable) return false;
  if (performance.now() - connection.idleSince < validateAfterMs) return true;
  try {
    await connection.run(ownCommand('DO 1'), new Deadline(validateTimeoutMs));
    return true;
  } catch {
    return false;
  }
}

function lost({ endpointName: server, epoch }: Connection): ConnectionLostError {
  return new ConnectionLostError(
    `The connection to ${server} has ended, and what was done on it before may be needed by this statement, which was not sent. ` +
      'Begin again with another connection.',
    { server, epoch },
  );
}

function endWithin(running: Promise<unknown>, limitMs: number): Promise<'answered' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve('late'), limitMs);
    const settle = (end: 'answered' | 'failed'): void => {
      clearTimeout(limit);
      resolve(end);
    };
    running.then(
      () => settle('answered'),
      () => settle('failed'),
    );
  });
}
