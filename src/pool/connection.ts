import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Connection as RawConnection, ResultSetHeader } from 'mysql2';
import { UnsafeEscapingError, VipsqlError } from '../errors/errors.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { classifyFailure, type Failure } from '../resilience/failures.ts';
import { startTimer } from '../resilience/timer.ts';
import type { TypeConfig } from '../rows/column-types.ts';
import { Alarm } from './alarm.ts';
import {
  type Answer,
  type Command,
  isFieldLists,
  ownCommand,
  type RawFields,
  type RawRows,
} from './command.ts';
import { AnswerDecoder } from './decode-answer.ts';
import { DriverSettings } from './driver-reading.ts';
import type { ServerFacts } from './identity.ts';
import { openRowSource, type RowSource } from './row-source.ts';
import { type RawCommand, RunningStatement, type StatementHost } from './running-statement.ts';
import { type PositionListener, SessionStatus } from './session-status.ts';

/** Counts answers of a group of connections: an answer proves that their server lives. */
export interface Pulse {
  answers: number;
}

/** Stops a statement that runs on a connection, from elsewhere; resolves once the server has taken the order. */
export type KillQuery = (victim: Connection) => Promise<void>;

export interface StreamListener {
  onRow(row: Record<string, unknown>): void;
  /** `error` is a failure, or the error of a row that could not be decoded. */
  onEnd(error: Failure | VipsqlError | undefined): void;
}

/** Values that mysql2 does not look for placeholders for: they stand in the text already. */
const noValues = null;

/** Stands for whatever is asked of a connection beside the statements of its user. */
const resetCommand = ownCommand('', 'other');

/** The longest that a server may take to show that a connection is still open. */
const longestPingMs = 500;

/** The longest that a goodbye may take. */
const quitTimeoutMs = 500;

export interface ConnectionParts {
  readonly raw: RawConnection;
  readonly socket: Socket;
  readonly id: number;
  readonly facts: ServerFacts;
  readonly endpointName: string;
  readonly types: TypeConfig;
  readonly readOnly: boolean;
  /** Sets up the session again after a reset. */
  readonly prepareSession: () => Promise<void>;
}

/** One open session on one server. It runs one statement at a time and is never used again after a failure of the line. */
export class Connection {
  /** The connection's id on its server, as `KILL` takes it. */
  readonly id: number;
  readonly facts: ServerFacts;
  readonly endpointName: string;
  /** The session refuses writes by itself. */
  readonly readOnly: boolean;
  readonly openedAt = performance.now();
  /** When it was last given back. */
  idleSince = performance.now();
  /** By `performance.now()`: when it has lived long enough. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** The session was changed in ways that only a reset takes back. */
  tainted = false;
  /** The epoch it belongs to, for a connection to the primary. */
  epoch: number | undefined;
  /** The pool that lends it. */
  pool: { release(connection: Connection): void } | undefined;
  pulse: Pulse = { answers: 0 };
  kill: KillQuery | undefined;
  /** Called once when the connection has ended, whoever ended it. */
  onEnd: (() => void) | undefined;
  /** The same for whom it is lent to, with what ended it. */
  onLoss: ((failure: Failure) => void) | undefined;
  readonly #parts: ConnectionParts;
  #ended: Failure | undefined;
  readonly #alarm = new Alarm();
  readonly #host: StatementHost;
  readonly #driver: DriverSettings;
  /** What has to be told when the connection ends under it. */
  #running: { giveUp(failure: Failure): void } | undefined;
  readonly #status = new SessionStatus();
  #lost = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.facts = parts.facts;
    this.endpointName = parts.endpointName;
    this.readOnly = parts.readOnly;
    this.#driver = new DriverSettings(parts.raw);
    this.#host = this.#createHost();
    const { raw, socket } = parts;
    raw.removeAllListeners('error');
    const lose = (failure: Failure): void => {
      this.#lost ||= this.#ended === undefined;
      this.#end(failure);
    };
    raw.on('error', (error) => lose(this.#classify(error, resetCommand, { sent: true })));
    raw.on('end', () => lose(this.#closed()));
    socket.once('close', () => lose(this.#closed()));
  }

  /** The line broke or the server ended it, while nothing ran on it. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The last OK said that a transaction is open. */
  get inTransaction(): boolean {
    return this.#status.inTransaction;
  }

  /** Tells somebody the positions of what is committed on this connection. */
  set positions(listener: PositionListener) {
    this.#status.positions = listener;
  }

  get usable(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Runs one statement. Rejects with {@link Failed}, after which {@link usable} says whether the connection may be
   * used again. When the deadline comes near or the signal fires the statement is killed on the server and the answer
   * to that awaited; without one the connection is destroyed.
   */
  run(command: Command, deadline: Deadline): Promise<Answer> {
    if (this.#ended !== undefined) {
      return Promise.reject(new Failed({ ...this.#ended, outcome: 'not-executed' }));
    }
    if (command.escapesText && this.#status.noBackslashEscapes) return Promise.reject(this.#unsafeEscaping());
    return new Promise((resolve, reject) => {
      const running = new RunningStatement(this.#host, command, { deadline, resolve, reject });
      this.#running = running;
      running.start();
    });
  }

  /**
   * Sends a statement whose rows are read one by one; the connection is busy until `onEnd`, which is called once,
   * with the failure if there was one. Throws {@link Failed} when the connection has ended.
   */
  open(command: Command, listener: StreamListener): RowSource {
    if (this.#ended !== undefined) throw new Failed({ ...this.#ended, outcome: 'not-executed' });
    if (command.escapesText && this.#status.noBackslashEscapes) throw this.#unsafeEscaping();
    const { raw, types } = this.#parts;
    this.#driver.use(command.driver);
    let ended = false;
    const end = (error: Failure | VipsqlError | undefined): void => {
      if (ended) return;
      ended = true;
      this.#running = undefined;
      if (error !== undefined && 'connection' in error && error.connection === 'destroy') this.destroy();
      listener.onEnd(error);
    };
    this.#running = {
      giveUp: (failure) => end(source.wasSent() ? failure : { ...failure, outcome: 'not-executed' }),
    };
    const source = openRowSource(
      { raw, command, types },
      {
        onRow: (row) => {
          if (ended) return;
          this.pulse.answers += 1;
          listener.onRow(row);
        },
        onHeader: (header) => {
          if (!ended) this.#status.note(header, command);
        },
        onEnd: (error) => {
          if (error === undefined || error instanceof VipsqlError) {
            end(error);
            return;
          }
          const failure = this.#classify(error, command, { sent: source.wasSent() });
          if (failure.kind === 'killed') this.#explainKill(failure, longestPingMs, end);
          else end(failure);
        },
      },
    );
    return source;
  }

  /** Takes back everything a session can have changed. Rejects with {@link Failed}, the connection destroyed. */
  async reset(deadline: Deadline): Promise<void> {
    const cancel = deadline.onInterrupt(() => this.destroy());
    try {
      await new Promise<void>((resolve, reject) => {
        this.#running = { giveUp: (failure) => reject(new Failed(failure)) };
        this.#parts.raw.reset((error: Error | null) => (error === null ? resolve() : reject(error)));
      });
      await this.#parts.prepareSession();
      this.tainted = false;
      this.#status.inTransaction = false;
    } catch (error) {
      this.destroy();
      throw error instanceof Failed ? error : new Failed(this.#classify(error, resetCommand, { sent: true }));
    } finally {
      this.#running = undefined;
      cancel();
    }
  }

  /** Ends the connection at once, whatever runs on it; a running statement fails with its outcome unknown. */
  destroy(failure: Failure = this.#closed()): void {
    this.#end(failure);
  }

  /** Gives it back to the pool that has lent it. */
  release(): void {
    this.pool?.release(this);
  }

  /** Says goodbye to the server, for a connection on which nothing runs. */
  quit(): void {
    if (this.#ended !== undefined) return;
    const { raw, socket } = this.#parts;
    this.#ended = this.#closed();
    this.#alarm.stop();
    const limit = setTimeout(() => socket.destroy(), quitTimeoutMs);
    socket.once('close', () => clearTimeout(limit));
    raw.end(() => socket.end());
    this.onEnd?.();
  }

  /** What a running statement asks of this connection. */
  #createHost(): StatementHost {
    const { raw, types } = this.#parts;
    const connection = this;
    const decoder = new AnswerDecoder(types);
    return {
      alarm: this.#alarm,
      get kill() {
        const { kill } = connection;
        return kill === undefined ? undefined : () => kill(connection);
      },
      send(command, onAnswer) {
        const callback = onAnswer as never;
        const { text, values, driver } = command;
        connection.#driver.use(driver);
        decoder.begin(command);
        const query = driver?.query;
        const sent =
          values !== undefined
            ? raw.execute({ ...query, sql: text, values: values as never }, callback)
            : query === undefined
              ? raw.query(text, noValues, callback)
              : raw.query({ ...query, sql: text, values: noValues }, callback);
        if (driver === undefined) (sent as unknown as EventEmitter).on('fields', decoder.onFields);
        return sent as unknown as RawCommand;
      },
      accept(command, rows, fields) {
        connection.pulse.answers += 1;
        const header = headerOf(rows, fields);
        const position = header === undefined ? undefined : connection.#status.note(header, command);
        decoder.decode(rows, fields);
        const { endpointName: server, epoch, facts } = connection;
        const isUnplaced = header !== undefined && connection.#status.isUnplaced;
        return { rows, fields, server, epoch, vendor: facts.vendor, position, isUnplaced };
      },
      classify(error, command, sent, killedByUs) {
        if ('sqlState' in error) connection.pulse.answers += 1;
        return connection.#classify(error, command, { sent, killedByUs });
      },
      closed: () => connection.#closed(),
      explainKill: (failure, limitMs, onExplained) => connection.#explainKill(failure, limitMs, onExplained),
      finished() {
        connection.#running = undefined;
      },
      destroy: (failure) => connection.destroy(failure),
    };
  }

  /**
   * A server that shuts down says of the statements that it stops what it says of one that a person has killed, and
   * then ends their sessions. Only the second is to be told to the caller: the first is a lost connection.
   */
  #explainKill(failure: Failure, limitMs: number, onExplained: (failure: Failure) => void): void {
    let explained = false;
    const explain = (as: Failure): void => {
      if (explained) return;
      explained = true;
      clearTimeout(limit);
      this.#running = undefined;
      if (as.connection === 'destroy') this.destroy();
      onExplained(as);
    };
    const shutDown = (): void => explain({ ...failure, kind: 'lost', connection: 'destroy' });
    const limit = startTimer(limitMs, shutDown);
    this.#running = { giveUp: shutDown };
    this.#parts.raw.ping((error) => (error ? shutDown() : explain(failure)));
  }

  #classify(
    cause: unknown,
    { statement, phase }: Command,
    { sent, killedByUs = false }: { readonly sent: boolean; readonly killedByUs?: boolean },
  ): Failure {
    return classifyFailure(cause, {
      vendor: this.facts.vendor,
      phase,
      sent,
      statement,
      inTransaction: this.inTransaction,
      readOnlySession: this.readOnly,
      killedByUs,
    });
  }

  #closed(): Failure {
    const cause = new ConnectionClosed(`connection ${this.id} to ${this.endpointName} was closed`);
    return this.#classify(cause, resetCommand, { sent: true });
  }

  #unsafeEscaping(): UnsafeEscapingError {
    return new UnsafeEscapingError(
      'The session has sql_mode NO_BACKSLASH_ESCAPES, with which escaped strings can be broken out of. ' +
        'The statement was not sent. Use { prepare: true }, or take the mode out of the session.',
      { server: this.endpointName, epoch: this.epoch },
    );
  }

  #end(failure: Failure): void {
    if (this.#ended !== undefined) return;
    this.#ended = failure;
    const { raw, socket } = this.#parts;
    const running = this.#running;
    this.#running = undefined;
    (raw as unknown as { stream: Socket }).stream.destroy();
    socket.destroy();
    running?.giveUp(failure);
    this.#alarm.stop();
    this.onEnd?.();
    this.onLoss?.(failure);
  }
}

class ConnectionClosed extends Error {
  readonly code = 'PROTOCOL_CONNECTION_LOST';
}

/** Result sets carry no status that mysql2 hands on; the OK of a statement or a procedure does. */
function headerOf(rows: RawRows, fields: RawFields): ResultSetHeader | undefined {
  let header: unknown = rows;
  if (Array.isArray(rows)) {
    if (fields === undefined || !isFieldLists(fields)) return undefined;
    header = rows.at(-1);
  }
  return isHeader(header) ? header : undefined;
}

function isHeader(value: unknown): value is ResultSetHeader {
  return typeof value === 'object' && value !== null && 'serverStatus' in value;
}
