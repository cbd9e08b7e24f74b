import { AbortedError, ConnectionLostError } from '../../errors/errors.ts';
import type { Services } from '../../handles/services.ts';
import { ownCommand } from '../../pool/command.ts';
import type { Connection } from '../../pool/connection.ts';
import { Deadline } from '../../resilience/deadline.ts';
import { Failed } from '../../resilience/failed.ts';
import type { Failure } from '../../resilience/failures.ts';

/** A connection that has rested is asked before it is used: what is sent on a dead one has an unknown outcome. */
const validateAfterMs = 500;

const validateTimeoutMs = 1_000;

/** The longest that a cancelled statement may take to end. */
const cancelTimeoutMs = 1_000;

/** The longest that taking back a session's changes may last; after that the connection is closed instead. */
const resetTimeoutMs = 2_000;

/** Does something on a connection until the deadline. Rejects with `Failed`. */
export type Act<T> = (connection: Connection, deadline: Deadline) => Promise<T>;

/** Another connection, with what has been put upon it. */
export interface Reopened {
  readonly connection: Connection;
  close(): void;
}

/** What a statement that was answered leaves on its connection: nothing, what a later one may ask for, or what it needs. */
export type Trace = 'none' | 'readable' | 'state';

export interface PrimaryLineParts {
  readonly services: Services;
  readonly connection: Connection;
  /** Opens another one, set up as the first one was. Rejects with `Failed` or a `VipsqlError`. */
  readonly reopen: (deadline: Deadline) => Promise<Reopened>;
  /** Told when it has ended, and with it what later statements would need. */
  readonly onLost?: (failure: Failure) => void;
}

/** For whom a connection has to be ready. */
export interface ReadyTerms {
  /** {@link PrimaryLine.loan} when the statement was given. */
  readonly loan: number;
  readonly onlyReads: boolean;
  /** The statement asks for what an earlier one has left on the connection. */
  readonly readsState: boolean;
}

/**
 * The connection below what another library holds. It may be replaced as long as nothing was left on it since it was
 * lent; after that it is what its borrower knows, and is not replaced when it ends.
 */
export class PrimaryLine {
  readonly #parts: PrimaryLineParts;
  #connection: Connection;
  /** It is ours, and has to be given back. */
  #held = true;
  #loan = 0;
  #trace: Trace = 'none';
  #closed = false;
  /** A transaction is open that the cluster waits for when it closes. */
  #counted = false;
  /** The statement under way. */
  #running: Promise<unknown> | undefined;
  /** The session that the server was told to end last. */
  #termination: { readonly of: Connection; readonly done: Promise<void> } | undefined;

  constructor(parts: PrimaryLineParts) {
    this.#parts = parts;
    this.#connection = parts.connection;
    this.#watch();
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Counts loans, so that what was asked for in one is not begun in the next. */
  get loan(): number {
    return this.#loan;
  }

  /** A transaction is open on it, or was when it ended. */
  get inTransaction(): boolean {
    return this.#held && this.#connection.inTransaction;
  }

  /** May be lent again. */
  get valid(): boolean {
    const { usable, expiresAt } = this.#connection;
    return !this.#closed && usable && !this.inTransaction && performance.now() < expiresAt;
  }

  /** It has ended, and with it what later statements would need. */
  get lost(): boolean {
    return this.#held && !this.#connection.usable && (this.#trace === 'state' || this.inTransaction);
  }

  lent(): void {
    this.#loan += 1;
    this.forget();
  }

  /** A transaction that was left open ends with its connection. */
  returned(): void {
    this.#loan += 1;
    this.#connection.idleSince = performance.now();
    if (this.inTransaction || this.lost) void this.abandon();
    this.#countTransaction();
  }

  /** What was left on the connection has been taken back, or is gone with it: then the next statement gets another. */
  forget(): void {
    this.#trace = 'none';
    if (!this.#connection.usable) this.letGo();
  }

  /** Ends the connection at once. */
  destroy(): void {
    if (this.#held) void this.abandon();
    this.#countTransaction();
  }

  /**
   * Ends the connection, and has the server end what may still run or hold locks there: of a line that is silent it
   * would not hear for a long time. Resolves when it was told, or cannot be; never rejects.
   */
  async abandon(): Promise<void> {
    const mayLiveOn = this.#running !== undefined || this.inTransaction || this.#trace === 'state';
    this.#connection.destroy();
    if (mayLiveOn) await this.#terminate(this.#connection);
  }

  /** Gives the connection back. What runs on it fails with its outcome unknown. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loan += 1;
    if (this.#running !== undefined || this.inTransaction || this.lost) void this.abandon();
    this.#countTransaction();
    this.#giveBack();
  }

  /**
   * Gives the connection back to those of the cluster, on which nothing runs: an open transaction is rolled back, and
   * what its session has been changed is taken back, or else it is closed.
   */
  async restore(): Promise<void> {
    const { connection } = this;
    const isDirty = this.inTransaction || connection.tainted;
    if (this.#held && connection.usable && isDirty) {
      // A reset that fails has destroyed the connection.
      await connection.reset(new Deadline(resetTimeoutMs)).catch(() => void this.#terminate(connection));
    }
    this.close();
  }

  /** Gives the connection back when nothing was left on it; the next statement gets another one. */
  letGo(): void {
    if (this.#trace === 'state') return;
    this.#giveBack();
    this.#countTransaction();
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
    if (end !== 'late') return;
    void this.#terminate(connection);
    throw new Error('the server did not stop the statement in time');
  }

  /** A connection on which a statement may be sent now, another one if nothing is lost by that. */
  ready(deadline: Deadline, terms: ReadyTerms): Connection | Promise<Connection> {
    const { loan, onlyReads, readsState } = terms;
    this.#checkLoan(loan);
    const connection = this.#connection;
    if (this.#trace === 'state' || (readsState && this.#trace === 'readable')) {
      if (connection.usable) return connection;
      throw lost(connection);
    }
    const { primary } = this.#parts.services;
    if (primary.admits(onlyReads) && this.#held && connection.usable && isFresh(connection))
      return connection;
    return this.#makeReady(deadline, terms);
  }

  async #makeReady(deadline: Deadline, { loan, onlyReads }: ReadyTerms): Promise<Connection> {
    await this.#parts.services.primary.admit(deadline, onlyReads);
    if (!this.#held || !(await isAlive(this.#connection))) await this.#replace(deadline);
    this.#checkLoan(loan);
    return this.#connection;
  }

  /** Rejects with what `act` rejects with; `trace` is what it leaves when it was answered. */
  async run<T>(connection: Connection, act: Act<T>, terms: RunTerms): Promise<T> {
    const { deadline, trace } = terms;
    const running = this.#parts.services.primary.onGuest(connection, () => act(connection, deadline));
    this.#running = running;
    try {
      const result = await running;
      if (trace === 'state' || this.#trace === 'none') this.#trace = trace;
      return result;
    } catch (error) {
      if (!connection.usable && (connection.inTransaction || isOpen(error))) void this.#terminate(connection);
      throw error;
    } finally {
      if (this.#running === running) this.#running = undefined;
      connection.idleSince = performance.now();
      this.#countTransaction();
    }
  }

  async #replace(deadline: Deadline): Promise<void> {
    if (this.#held) this.#connection.destroy();
    this.#giveBack();
    const other = await this.#parts.reopen(deadline);
    if (this.#closed) {
      other.close();
      return;
    }
    this.#connection = other.connection;
    this.#held = true;
    this.#watch();
  }

  /** Once for each connection. Nobody has to wait for it. */
  #terminate(connection: Connection): Promise<void> {
    if (this.#termination?.of !== connection) {
      this.#termination = { of: connection, done: this.#parts.services.primary.terminate(connection) };
    }
    return this.#termination.done;
  }

  #watch(): void {
    this.#connection.onLoss = (failure) => {
      if (this.lost) this.#parts.onLost?.(failure);
    };
  }

  #giveBack(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#connection.onLoss = undefined;
    this.#connection.release();
  }

  /** A statement that was given up before it was sent must not be sent later. */
  #checkLoan(loan: number): void {
    if (loan === this.#loan && !this.#closed) return;
    throw new AbortedError('The statement was given up before it was sent. Nothing was executed.');
  }

  /** The cluster waits for open transactions when it closes, as it does for those of `db.transaction`. */
  #countTransaction(): void {
    const { running } = this.#parts.services;
    const isOpen = !this.#closed && this.#connection.usable && this.inTransaction;
    if (isOpen === this.#counted) return;
    this.#counted = isOpen;
    if (isOpen) running.hold();
    else running.end();
  }
}

/** How something is done on a connection. */
export interface RunTerms {
  readonly deadline: Deadline;
  readonly trace: Trace;
}

function isFresh({ idleSince }: Connection): boolean {
  return performance.now() - idleSince < validateAfterMs;
}

async function isAlive(connection: Connection): Promise<boolean> {
  if (!connection.usable) return false;
  if (isFresh(connection)) return true;
  try {
    await connection.run(ownCommand('DO 1'), new Deadline(validateTimeoutMs));
    return true;
  } catch {
    return false;
  }
}

/** The server has not said how a statement has ended, and may still be at it. */
function isOpen(error: unknown): boolean {
  return !(error instanceof Failed) || error.failure.outcome === 'unknown';
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
