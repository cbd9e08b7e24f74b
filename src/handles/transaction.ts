import { type CallOptions, checkCallOptions } from '../config/call-options.ts';
import { checkInvalidation, type InvalidationTargets } from '../config/invalidation-targets.ts';
import { ImplicitCommitError, TransactionClosedError } from '../errors/errors.ts';
import { type Answer, type Command, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { refuseWhenLate } from '../resilience/interruption.ts';
import { toError } from '../resilience/to-error.ts';
import type { SqlParams } from '../sql/value.ts';
import { type Call, changesSession, prepareCall, type Query, refuseImplicitCommit } from './call.ts';
import type { DefaultRow } from './row-shapes.ts';
import { createRowStream, type Pump, type RowStream } from './row-stream.ts';
import { RowWriter, type WriterSettings } from './row-writer.ts';

export interface TransactionSettings extends WriterSettings {
  /** Throws where no cache is configured, or none that follows those tables. */
  readonly checkCache: (tables: readonly string[]) => void;
  /** The tables of a statement whose writes make something in the cache old. */
  readonly tablesOf: (call: Call) => readonly string[];
}

/** What a transaction closure works with; each of its statements runs on the transaction's one connection, in order. */
export class Transaction<Row extends object = DefaultRow> extends RowWriter<Row> {
  readonly #run: (call: Call, options: CallOptions | undefined) => Promise<Answer>;
  readonly #state: TransactionState;
  readonly #settings: TransactionSettings;
  readonly #keys = new Set<string>();
  readonly #tags = new Set<string>();
  readonly #tables: Set<string>;
  #committed: Answer | undefined;

  /** @internal */
  constructor(connection: Connection, deadline: Deadline, settings: TransactionSettings) {
    const state = new TransactionState(connection, deadline);
    const tables = new Set<string>();
    const run = (call: Call, options: CallOptions | undefined): Promise<Answer> => {
      for (const table of settings.tablesOf(call)) tables.add(table);
      return state.run(call, options);
    };
    super(run, settings);
    this.#run = run;
    this.#state = state;
    this.#tables = tables;
    this.#settings = settings;
  }

  /**
   * Stands for what the transaction has written, once it is committed: a read `after` it sees it. `undefined` before,
   * for a transaction that wrote nothing, and where the server does not tell positions.
   */
  get token(): string | undefined {
    return this.#committed === undefined ? undefined : this.#settings.tokens.ofWrite(this.#committed);
  }

  /** The same transaction, with rows of another type. */
  rows<Other extends object>(): Transaction<Other> {
    return this as unknown as Transaction<Other>;
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket; the transaction's next statement waits for the
   * last of them. `timeoutMs` (default: what the transaction has left) limits the wait for the first row and each pause
   * after it. Rows that nobody reads any more are dropped, for two seconds at most: then the connection is ended, and the
   * transaction with it. A stream that breaks spoils the transaction.
   */
  stream(query: Query, params?: SqlParams, options?: CallOptions): RowStream<Row> {
    const resolved = this.resolve(options);
    checkCallOptions(resolved);
    const call = prepareCall({ query, params, options: resolved }, this.#settings.timezone);
    return this.rowsOf(call, resolved);
  }

  /** @internal Reads the rows of a statement that an adapter has written. */
  rowsOf(call: Call, options: CallOptions | undefined): RowStream<Row> {
    const stream = createRowStream<Row>({
      call,
      timeoutMs: options?.timeoutMs ?? this.#state.remainingMs(),
      signal: options?.signal,
      onLeave: () => 'drop',
      run: this.#state.pump(call),
    });
    this.#state.streams.add(stream);
    stream.once('close', () => this.#state.streams.delete(stream));
    return stream;
  }

  /** @internal Runs a statement that an adapter has written. */
  answerTo(call: Call, options: CallOptions | undefined): Promise<Answer> {
    return this.#run(call, options);
  }

  /**
   * Runs `fn` as a part that can fail by itself: what it throws undoes the part and is thrown on, and the
   * transaction may go on. A failure that spoils the whole transaction (deadlock, lock time-out, lost line) still does.
   */
  async savepoint<T>(fn: (tx: Transaction<Row>) => Promise<T>): Promise<T> {
    const name = this.#state.nextSavepoint();
    await this.#state.control(`SAVEPOINT ${name}`);
    try {
      const result = await fn(this);
      await this.#state.control(`RELEASE SAVEPOINT ${name}`);
      return result;
    } catch (error) {
      if (this.#state.spoiledBy === undefined) await this.#state.control(`ROLLBACK TO SAVEPOINT ${name}`);
      throw error;
    }
  }

  /**
   * Values in the cache that the transaction makes old. Announced before COMMIT and completed before `db.transaction`
   * resolves; what is told again adds to it, also from a savepoint that is rolled back.
   */
  invalidates(targets: InvalidationTargets): void {
    checkInvalidation(targets);
    this.#settings.checkCache(targets.tables ?? []);
    this.#state.refuseWhenClosed();
    for (const key of targets.keys ?? []) this.#keys.add(key);
    for (const tag of targets.tags ?? []) this.#tags.add(tag);
    for (const table of targets.tables ?? []) this.#tables.add(table);
  }

  /** @internal What {@link invalidates} was told, and the tables that were written; `undefined` for nothing. */
  get invalidated(): InvalidationTargets | undefined {
    if (this.#keys.size + this.#tags.size + this.#tables.size === 0) return undefined;
    return { keys: [...this.#keys], tags: [...this.#tags], tables: [...this.#tables] };
  }

  /** @internal COMMIT was answered. */
  committed(answer: Answer): void {
    this.#committed = answer;
  }

  /** @internal What ended or spoiled the transaction, if anything did. */
  get spoiledBy(): unknown {
    return this.#state.spoiledBy;
  }

  /** @internal Runs a statement that steers savepoints. */
  control(text: string): Promise<void> {
    return this.#state.control(text);
  }

  /** @internal Refuses further statements and waits for the one under way. */
  close(): Promise<void> {
    return this.#state.close();
  }
}

/** Failures of one statement that leave the rest of the transaction as it was, whatever the closure makes of them. */
const harmlessKinds: ReadonlySet<Failure['kind']> = new Set(['sql', 'duplicate-key']);

class TransactionState {
  /** A {@link Failed}, or the error that nothing can be retried after. */
  spoiledBy: unknown;
  /** Streams that are not at their end. */
  readonly streams = new Set<RowStream<object>>();
  readonly #connection: Connection;
  readonly #deadline: Deadline;
  readonly #turns = new Limiter(1);
  #closed = false;
  #savepoints = 0;

  constructor(connection: Connection, deadline: Deadline) {
    this.#connection = connection;
    this.#deadline = deadline;
  }

  nextSavepoint(): string {
    this.#savepoints += 1;
    return `vipsql_${this.#savepoints}`;
  }

  async close(): Promise<void> {
    this.#closed = true;
    // What nobody reads would hold the connection for good.
    for (const stream of this.streams) stream.destroy();
    await this.#turns.run(async () => {});
  }

  remainingMs(): number {
    return Math.max(1, Math.ceil(this.#deadline.remainingMs()));
  }

  async run(call: Call, options: CallOptions | undefined): Promise<Answer> {
    this.#admit(call);
    return await this.#send(call.command, this.#deadlineOf(options));
  }

  /** Throws what refuses the statement. */
  pump(call: Call): Pump {
    this.#admit(call);
    return (pump) => this.#perform(pump, this.#deadline);
  }

  async control(text: string): Promise<void> {
    await this.#send(ownCommand(text, 'other'), this.#deadline);
  }

  #admit({ statement }: Call): void {
    refuseImplicitCommit(statement);
    if (changesSession(statement)) this.#connection.tainted = true;
  }

  #send(command: Command, deadline: Deadline): Promise<Answer> {
    return this.#perform((connection) => connection.run(command, deadline), deadline);
  }

  async #perform<T>(act: (connection: Connection) => Promise<T>, deadline: Deadline): Promise<T> {
    this.refuseWhenClosed();
    const perform = async (): Promise<T> => {
      if (this.spoiledBy !== undefined) throw this.spoiledBy;
      refuseWhenLate(this.#deadline);
      try {
        const done = await act(this.#connection);
        this.#checkStillOpen();
        return done;
      } catch (error) {
        if (!(error instanceof Failed) || !isHarmless(error.failure)) this.spoiledBy ??= error;
        throw error;
      }
    };
    try {
      return await this.#turns.run(perform, deadline);
    } catch (error) {
      throw this.#visible(error, deadline);
    }
  }

  refuseWhenClosed(): void {
    if (!this.#closed) return;
    throw new TransactionClosedError(
      'tx was used after its closure had ended; the statement was not sent. Await every statement inside the closure.',
    );
  }

  /** Every OK tells whether a transaction is open. One that has ended without us cannot be rolled back as a whole. */
  #checkStillOpen(): void {
    if (this.#connection.inTransaction) return;
    const { endpointName: server, epoch } = this.#connection;
    throw new ImplicitCommitError(
      'The transaction ended before its closure did: a statement or a routine in it committed or rolled back by itself. ' +
        'What ran before may be committed; vipsql sent nothing more.',
      { outcome: 'unknown', server, epoch },
    );
  }

  #deadlineOf(options: CallOptions | undefined): Deadline {
    if (options?.timeoutMs === undefined && options?.signal === undefined) return this.#deadline;
    const timeoutMs = Math.min(options.timeoutMs ?? Number.POSITIVE_INFINITY, this.remainingMs());
    const signals = [options.signal, this.#deadline.signal].filter((signal) => signal !== undefined);
    return new Deadline(timeoutMs, signals.length > 1 ? AbortSignal.any(signals) : signals[0]);
  }

  #visible(error: unknown, deadline: Deadline): unknown {
    if (!(error instanceof Failed)) return error;
    const { endpointName: server, epoch } = this.#connection;
    return toError(error.failure, {
      operation: 'transaction',
      server,
      epoch,
      timeoutMs: deadline.timeoutMs,
      abortReason: deadline.signal?.reason,
    });
  }
}

/** Whether a failed statement leaves the rest of its transaction as it was. */
export function isHarmless({ kind, outcome }: Failure): boolean {
  return harmlessKinds.has(kind) && (outcome === 'statement-rolled-back' || outcome === 'not-executed');
}
