import type { Readable } from 'node:stream';
import { VipsqlError } from '../../errors/errors.ts';
import { startDeadline } from '../../handles/begin.ts';
import { type Call, isUnbounded, operationOf } from '../../handles/call.ts';
import { createRowStream } from '../../handles/row-stream.ts';
import type { Services } from '../../handles/services.ts';
import { answeredFor, seenBy } from '../../handles/session.ts';
import { isHarmless } from '../../handles/transaction.ts';
import { withRetries } from '../../handles/with-retries.ts';
import { type Answer, ownCommand, type RawRows } from '../../pool/command.ts';
import type { Connection } from '../../pool/connection.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { Limiter } from '../../pool/limiter.ts';
import { Deadline } from '../../resilience/deadline.ts';
import { Failed, ofWholeTransaction } from '../../resilience/failed.ts';
import type { Operation } from '../../resilience/outcome.ts';
import { toError } from '../../resilience/to-error.ts';
import type { Statement } from '../../sql/statement.ts';
import type { DriverAnswer } from './driver-command.ts';
import { toDriverError } from './driver-error.ts';
import { callOf, type DriverQuery } from './driver-query.ts';
import type { DriverSession } from './driver-session.ts';
import { type Act, PrimaryLine, type PrimaryLineParts, type RunTerms, type Trace } from './primary-line.ts';
import { readsState } from './trace.ts';

/** After that the connection is destroyed, which rolls back too. */
const rollbackTimeoutMs = 1_000;

export interface PrimarySessionParts extends PrimaryLineParts {
  readonly driver: DriverOptions;
  /** The limit of each statement, where the caller has set one. */
  readonly timeoutMs: number | undefined;
  /** What a statement leaves on the connection once it was answered. */
  readonly traceOf: (statement: Statement) => Trace;
  /** Answers may take as long as they take. */
  readonly isUnbounded?: () => boolean;
  readonly onAnswer?: (query: DriverQuery, rows: RawRows) => void;
}

/** A statement, and what it was given with. */
interface Given {
  readonly call: Call;
  readonly query: DriverQuery;
  /** Of {@link PrimaryLine.loan}. */
  readonly loan: number;
}

/** A transaction that cannot be committed any more. */
interface Spoiled {
  /** What its statements fail with. */
  readonly by: VipsqlError;
  /** What its COMMIT fails with: all of it is undone by then. */
  readonly whole: VipsqlError;
}

/** What another library holds as a connection to the primary: its statements, and its transactions. */
export class PrimarySession implements DriverSession {
  readonly driver: DriverOptions;
  onLost: ((error: Error) => void) | undefined;
  readonly #parts: PrimarySessionParts;
  readonly #services: Services;
  readonly #line: PrimaryLine;
  readonly #turns = new Limiter(1);
  /** What has ended or spoiled the open transaction. */
  #spoiled: Spoiled | undefined;

  constructor(parts: PrimarySessionParts) {
    this.driver = parts.driver;
    this.#parts = parts;
    this.#services = parts.services;
    this.#line = new PrimaryLine({
      ...parts,
      onLost: (failure) => {
        const { endpointName: server, epoch } = this.connection;
        const idle = { ...failure, outcome: 'not-executed' } as const;
        const error = toError(idle, { operation: 'other', server, epoch, timeoutMs: parts.timeoutMs ?? 0 });
        this.onLost?.(toDriverError(error, undefined) as Error);
      },
    });
  }

  get connection(): Connection {
    return this.#line.connection;
  }

  get threadId(): number {
    return this.connection.id;
  }

  /** May be lent again. */
  get valid(): boolean {
    return this.#line.valid;
  }

  get lost(): boolean {
    return this.#line.lost;
  }

  /** Somebody has borrowed it. */
  lent(): void {
    this.#spoiled = undefined;
    this.#line.lent();
  }

  /** It has come back. */
  returned(): void {
    this.#line.returned();
  }

  /** Gives the connection back for good. */
  close(): void {
    this.#line.close();
  }

  restore(): Promise<void> {
    return this.#turns.run(() => this.#line.restore());
  }

  destroy(): void {
    this.#line.destroy();
  }

  reset(): Promise<void> {
    return this.#turns.run(async () => {
      const { connection } = this;
      const deadline = new Deadline(this.#services.config.timeoutMs);
      try {
        // What was left on a connection that has ended is gone with it.
        if (connection.usable)
          await this.#line.run(connection, () => connection.reset(deadline), { deadline, trace: 'none' });
        this.#line.forget();
        this.#spoiled = undefined;
      } catch (error) {
        throw toDriverError(this.#visible(error, connection, deadline.timeoutMs), undefined);
      }
    });
  }

  /** Has the server stop the statement under way. Rejects when it did not end by that. */
  cancel(): Promise<void> {
    return this.#line.cancel();
  }

  async answer(query: DriverQuery): Promise<DriverAnswer> {
    const { loan } = this.#line;
    let text = query.sql;
    try {
      const call = callOf(query, this.driver);
      text = call.command.text;
      const { rows, fields } = await answeredFor(this.#services.sessions.current, () =>
        this.#turns.run(() => this.#run({ call, query, loan })),
      );
      this.#parts.onAnswer?.(query, rows);
      return [rows, fields];
    } catch (error) {
      throw toDriverError(error, text);
    }
  }

  rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    const { loan } = this.#line;
    const session = this.#services.sessions.current;
    const call = callOf(query, this.driver);
    const given = { call, query, loan };
    return createRowStream({
      call,
      highWaterMark,
      timeoutMs: this.#answerMs(given),
      signal: query.signal,
      onLeave: ({ inTransaction }) => (inTransaction ? 'drop' : 'end'),
      run: async (pump) => {
        try {
          await seenBy(session, () => this.#turns.run(() => this.#perform(given, pump)));
        } catch (error) {
          throw toDriverError(error, call.command.text);
        }
      },
    });
  }

  #run(given: Given): Promise<Answer> {
    const { call } = given;
    const { inTransaction } = this.#line;
    const control = call.statement.transactionControl;
    if (inTransaction && control === 'rollback') return this.#rollBack(call);
    if (inTransaction && control === 'commit') return this.#commit(given);
    return this.#perform(given, (connection, deadline) => connection.run(call.command, deadline));
  }

  /** Does something in the open transaction, or else by itself. */
  #perform<T>(given: Given, act: Act<T>): Promise<T> {
    return this.#line.inTransaction ? this.#inTransaction(given, act) : this.#alone(given, act);
  }

  /** Again where the outcome table allows. */
  async #alone<T>({ call, query, loan }: Given, act: Act<T>): Promise<T> {
    const { statement } = call;
    const operation = operationAlone(call);
    const waitMs = query.timeoutMs ?? this.#parts.timeoutMs ?? this.#services.config.timeoutMs;
    const answerMs = this.#answerMs({ call, query });
    const deadline = startDeadline(waitMs, query.signal);
    const answerBy = answerMs === waitMs ? deadline : new Deadline(answerMs, query.signal);
    const attempts = { role: 'primary', operation, idempotent: false, deadline } as const;
    const ready = { loan, onlyReads: operation === 'read', readsState: readsState(statement) };
    try {
      return await withRetries(this.#services, attempts, async (trace) => {
        const found = this.#line.ready(deadline, ready);
        const connection = found instanceof Promise ? await found : found;
        trace.server = connection.endpointName;
        trace.epoch = connection.epoch;
        return await this.#onLine(connection, act, { deadline: answerBy, trace: this.#traceOf(call) });
      });
    } catch (error) {
      // Some libraries never give back a connection on which no transaction could be begun.
      if (statement.transactionControl === 'begin') this.#line.letGo();
      throw error;
    }
  }

  async #inTransaction<T>(
    { call, query }: Given,
    act: Act<T>,
    operation: 'transaction' | 'commit' = 'transaction',
  ): Promise<T> {
    if (this.#spoiled !== undefined) throw this.#spoiled.by;
    const { connection } = this;
    const timeoutMs = this.#answerMs({ call, query });
    const deadline = startDeadline(timeoutMs, query.signal);
    try {
      return await this.#onLine(connection, act, { deadline, trace: this.#traceOf(call) });
    } catch (error) {
      if (!(error instanceof Failed)) {
        // A stream that broke after its first row, for one.
        if (error instanceof VipsqlError) this.#spoiled = { by: error, whole: error };
        throw error;
      }
      const { endpointName: server, epoch } = connection;
      const abortReason = query.signal?.reason;
      const facts = { operation, server, epoch, timeoutMs, abortReason };
      const visible = toError(error.failure, facts);
      if (!isHarmless(error.failure)) {
        this.#spoiled = { by: visible, whole: toError(ofWholeTransaction(error).failure, facts) };
      }
      if (visible.code === 'VIPSQL_IN_DOUBT') {
        const { message } = error.failure;
        this.#services.events.emit('operation:in-doubt', { server, epoch, message });
      }
      throw visible;
    }
  }

  async #commit(given: Given): Promise<Answer> {
    const spoiled = this.#spoiled;
    if (spoiled !== undefined) {
      await this.#rollBack(given.call);
      throw spoiled.whole;
    }
    const act: Act<Answer> = (connection, deadline) => connection.run(given.call.command, deadline);
    return await this.#inTransaction(given, act, 'commit');
  }

  /** Rolls back, if need be by ending the session: whatever was wrong before is what the caller has to know. */
  async #rollBack({ command }: Call): Promise<Answer> {
    const { connection } = this;
    const { endpointName: server, epoch, facts } = connection;
    this.#spoiled = undefined;
    const rollback = { ...ownCommand('ROLLBACK', 'other'), driver: command.driver };
    const deadline = new Deadline(rollbackTimeoutMs);
    try {
      const act = (): Promise<Answer> => connection.run(rollback, deadline);
      return await this.#line.run(connection, act, { deadline, trace: 'none' });
    } catch {
      await this.#line.abandon();
    }
    this.#line.letGo();
    const nothing = { rows: [], fields: [], position: undefined, isUnplaced: false };
    return { ...nothing, server, epoch, vendor: facts.vendor };
  }

  #onLine<T>(connection: Connection, act: Act<T>, terms: RunTerms): Promise<T> {
    if (terms.trace === 'state') connection.tainted = true;
    return this.#line.run(connection, act, terms);
  }

  #traceOf({ statement }: Call): Trace {
    return this.#parts.traceOf(statement);
  }

  #visible(error: unknown, { endpointName: server, epoch }: Connection, timeoutMs: number): unknown {
    if (!(error instanceof Failed)) return error;
    return toError(error.failure, { operation: 'other', server, epoch, timeoutMs });
  }

  /** How long an answer may take. */
  #answerMs({ call: { statement }, query }: Pick<Given, 'call' | 'query'>): number {
    const { timeoutMs, transactionTimeoutMs } = this.#services.config;
    const given = query.timeoutMs ?? this.#parts.timeoutMs;
    if (given !== undefined) return given;
    if (isUnbounded(statement) || this.#parts.isUnbounded?.() === true) return Number.POSITIVE_INFINITY;
    return this.#line.inTransaction ? transactionTimeoutMs : timeoutMs;
  }
}

/** What only begins a transaction has no effect by itself. */
function operationAlone(call: Call): Operation {
  const { transactionControl } = call.statement;
  const isBeginning = transactionControl === 'begin' || transactionControl === 'set-transaction';
  return isBeginning ? 'transaction' : operationOf(call);
}
