import type { Readable } from 'node:stream';
import { VipsqlError } from '../../errors/errors.ts';
import { type Call, isUnbounded, operationOf } from '../../handles/call.ts';
import { createRowStream } from '../../handles/row-stream.ts';
import type { Services } from '../../handles/services.ts';
import { answeredFor, seenBy } from '../../handles/session.ts';
import { isHarmless } from '../../handles/transaction.ts';
import { withRetries } from '../../handles/with-retries.ts';
import { type Answer, ownCommand } from '../../pool/command.ts';
import type { Connection } from '../../pool/connection.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { Limiter } from '../../pool/limiter.ts';
import { Deadline } from '../../resilience/deadline.ts';
import { Failed } from '../../resilience/failed.ts';
import type { Operation } from '../../resilience/outcome.ts';
import { toError } from '../../resilience/to-error.ts';
import { callOf, type DriverQuery } from './driver-query.ts';
import { type DriverAnswer, DriverShape } from './driver-shape.ts';
import { toKnexError } from './knex-error.ts';
import type { MigrationWatch } from './migration-watch.ts';
import { type Act, PrimaryLine, type PrimaryLineParts } from './primary-line.ts';

/** After that the connection is destroyed, which rolls back too. */
const rollbackTimeoutMs = 1_000;

export interface PrimarySessionParts extends PrimaryLineParts {
  readonly driver: DriverOptions;
  /** The limit of each statement, where the caller has set one. */
  readonly timeoutMs: number | undefined;
  readonly migrations: MigrationWatch;
}

/** What Knex's pool holds and lends: a session on the primary, in the shape of a connection of mysql2's. */
export class PrimarySession extends DriverShape {
  /** Knex's name for it. */
  __knexUid?: string;
  readonly #services: Services;
  readonly #timeoutMs: number | undefined;
  readonly #migrations: MigrationWatch;
  readonly #line: PrimaryLine;
  readonly #turns = new Limiter(1);
  /** What has ended or spoiled the open transaction. */
  #spoiledBy: VipsqlError | undefined;

  constructor(parts: PrimarySessionParts) {
    super(parts.driver);
    this.#services = parts.services;
    this.#timeoutMs = parts.timeoutMs;
    this.#migrations = parts.migrations;
    this.#line = new PrimaryLine(parts);
  }

  get connection(): Connection {
    return this.#line.connection;
  }

  /** Its id on its server. */
  get threadId(): number {
    return this.connection.id;
  }

  /** May be lent again. */
  get valid(): boolean {
    return this.#line.valid;
  }

  /** Somebody has borrowed it. */
  lent(): void {
    this.#spoiledBy = undefined;
    this.#line.lent();
  }

  /** It has come back. */
  returned(): void {
    this.#line.returned();
  }

  /** Gives the connection back for good. */
  close(): void {
    this.#line.close();
    this.emit('end');
  }

  /** Ends the connection at once, as mysql2's connections do. */
  destroy(): void {
    this.connection.destroy();
  }

  /** Has the server stop the statement under way. Rejects when it did not end by that. */
  cancel(): Promise<void> {
    return this.#line.cancel();
  }

  protected override async answer(query: DriverQuery): Promise<DriverAnswer> {
    const { loan } = this.#line;
    let text = query.sql;
    try {
      const call = callOf(query, this.driver);
      text = call.command.text;
      const { rows, fields } = await answeredFor(this.#services.sessions.current, () =>
        this.#turns.run(() => this.#run(call, loan)),
      );
      this.#migrations.executed(query, rows);
      return [rows, fields];
    } catch (error) {
      throw toKnexError(error, text);
    }
  }

  protected override rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    const { loan } = this.#line;
    const session = this.#services.sessions.current;
    const call = callOf(query, this.driver);
    return createRowStream({
      call,
      highWaterMark,
      timeoutMs: this.#answerMs(call),
      signal: undefined,
      onLeave: ({ inTransaction }) => (inTransaction ? 'drop' : 'end'),
      run: async (pump) => {
        try {
          await seenBy(session, () => this.#turns.run(() => this.#perform(call, loan, pump)));
        } catch (error) {
          throw toKnexError(error, call.command.text);
        }
      },
    });
  }

  #run(call: Call, loan: number): Promise<Answer> {
    const { inTransaction } = this.connection;
    const control = call.statement.transactionControl;
    if (inTransaction && control === 'rollback') return this.#rollBack(call);
    if (inTransaction && control === 'commit') return this.#commit(call);
    return this.#perform(call, loan, (connection, deadline) => connection.run(call.command, deadline));
  }

  /** Does something in the open transaction, or else by itself. */
  #perform<T>(call: Call, loan: number, act: Act<T>): Promise<T> {
    return this.connection.inTransaction ? this.#inTransaction(call, act) : this.#alone(call, loan, act);
  }

  /** Again where the outcome table allows. */
  #alone<T>(call: Call, loan: number, act: Act<T>): Promise<T> {
    const operation = operationAlone(call);
    const waitMs = this.#timeoutMs ?? this.#services.config.timeoutMs;
    const answerMs = this.#answerMs(call);
    const deadline = new Deadline(waitMs);
    const answerBy = answerMs === waitMs ? deadline : new Deadline(answerMs);
    const attempts = { role: 'primary', operation, idempotent: false, deadline } as const;
    return withRetries(this.#services, attempts, async (trace) => {
      const connection = await this.#line.ready(deadline, { loan, onlyReads: operation === 'read' });
      trace.server = connection.endpointName;
      trace.epoch = connection.epoch;
      return await this.#line.run(connection, act, answerBy);
    });
  }

  async #inTransaction<T>(
    call: Call,
    act: Act<T>,
    operation: 'transaction' | 'commit' = 'transaction',
  ): Promise<T> {
    if (this.#spoiledBy !== undefined) throw this.#spoiledBy;
    const { connection } = this;
    const timeoutMs = this.#answerMs(call);
    try {
      return await this.#line.run(connection, act, new Deadline(timeoutMs));
    } catch (error) {
      if (!(error instanceof Failed)) {
        // A stream that broke after its first row, for one.
        if (error instanceof VipsqlError) this.#spoiledBy = error;
        throw error;
      }
      const { endpointName: server, epoch } = connection;
      const visible = toError(error.failure, { operation, server, epoch, timeoutMs });
      if (!isHarmless(error.failure)) this.#spoiledBy = visible;
      if (visible.code === 'VIPSQL_IN_DOUBT') {
        const { message } = error.failure;
        this.#services.events.emit('operation:in-doubt', { server, epoch, message });
      }
      throw visible;
    }
  }

  async #commit(call: Call): Promise<Answer> {
    const spoiledBy = this.#spoiledBy;
    if (spoiledBy !== undefined) {
      await this.#rollBack(call);
      throw spoiledBy;
    }
    const act: Act<Answer> = (connection, deadline) => connection.run(call.command, deadline);
    return await this.#inTransaction(call, act, 'commit');
  }

  /** Rolls back, if need be by ending the session: whatever was wrong before is what the caller has to know. */
  async #rollBack({ command }: Call): Promise<Answer> {
    const { connection } = this;
    const { endpointName: server, epoch, facts } = connection;
    this.#spoiledBy = undefined;
    const rollback = { ...ownCommand('ROLLBACK', 'other'), driver: command.driver };
    const deadline = new Deadline(rollbackTimeoutMs);
    try {
      return await this.#line.run(connection, () => connection.run(rollback, deadline), deadline);
    } catch {
      connection.destroy();
    }
    await this.#services.primary.terminate(connection);
    const nothing = { rows: [], fields: [], position: undefined, isUnplaced: false };
    return { ...nothing, server, epoch, vendor: facts.vendor };
  }

  /** How long an answer may take. */
  #answerMs({ statement }: Call): number {
    const { timeoutMs, transactionTimeoutMs } = this.#services.config;
    if (this.#timeoutMs !== undefined) return this.#timeoutMs;
    if (isUnbounded(statement) || this.#migrations.running) return Number.POSITIVE_INFINITY;
    return this.connection.inTransaction ? transactionTimeoutMs : timeoutMs;
  }
}

/** What only begins a transaction has no effect by itself. */
function operationAlone(call: Call): Operation {
  const { transactionControl } = call.statement;
  const isBeginning = transactionControl === 'begin' || transactionControl === 'set-transaction';
  return isBeginning ? 'transaction' : operationOf(call);
}
