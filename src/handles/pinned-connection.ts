import { type CallOptions, checkCallOptions, type TransactionOptions } from '../config/call-options.ts';
import { TransactionClosedError } from '../errors/errors.ts';
import type { Answer } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { toError } from '../resilience/to-error.ts';
import type { SqlParams } from '../sql/value.ts';
import { type Call, operationOf, prepareCall, type Query } from './call.ts';
import { OpenTransaction } from './open-transaction.ts';
import type { DefaultRow } from './row-shapes.ts';
import { createRowStream, type RowStream } from './row-stream.ts';
import { RowWriter } from './row-writer.ts';
import type { Services } from './services.ts';
import { answeredFor, seenBy } from './session.ts';

/** The longest that taking back a session's changes may last; after that the connection is closed instead. */
const resetTimeoutMs = 2_000;

/** What is lent, and by whom. */
interface Loan {
  readonly connection: Connection;
  readonly services: Services;
}

/** One connection to the primary, lent for a while; transactions on it are the borrower's own affair. */
export class PinnedConnection<Row extends object = DefaultRow> extends RowWriter<Row> {
  /** The connection's id on its server. */
  readonly id: number;
  readonly server: string;
  readonly epoch: number | undefined;
  readonly #services: Services;
  readonly #state: PinnedState;

  private constructor({ connection, services }: Loan, state: PinnedState) {
    const { sessions, tokens, config } = services;
    super((call, options) => answeredFor(sessions.current, () => state.run(call, options)), {
      timezone: config.session.timezone,
      tokens,
    });
    this.id = connection.id;
    this.server = connection.endpointName;
    this.epoch = connection.epoch;
    this.#services = services;
    this.#state = state;
  }

  /** @internal Lends `connection` to `fn` and takes its changes back afterwards, or closes it where that fails. */
  static async lend<T>(loan: Loan, fn: (pinned: PinnedConnection) => Promise<T>): Promise<T> {
    const { connection, services } = loan;
    const state = new PinnedState(loan);
    connection.tainted = true;
    try {
      return await fn(new PinnedConnection(loan, state));
    } finally {
      state.end();
      await connection.reset(new Deadline(resetTimeoutMs)).catch(() => {
        // The reset has destroyed the connection; what fn did or failed with is what the caller has to know. Its session
        // may still run a statement or hold locks, of which nobody waits for the end.
        void services.primary.terminate(connection);
      });
    }
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket; the next statement on the connection waits for
   * the last of them, at most as long as it may take itself. `timeoutMs` limits the wait for the first row and each pause
   * after it. Rows that nobody reads any more are dropped, for two seconds at most: then the connection is ended.
   */
  stream(query: Query, params?: SqlParams, options?: CallOptions): RowStream<Row> {
    const resolved = this.resolve(options);
    checkCallOptions(resolved);
    const { config, sessions } = this.#services;
    const call = prepareCall({ query, params, options: resolved }, config.session.timezone);
    const session = sessions.current;
    return this.#state.streaming(
      createRowStream<Row>({
        call,
        timeoutMs: resolved?.timeoutMs ?? config.timeoutMs,
        signal: resolved?.signal,
        onLeave: () => 'drop',
        run: (pump) => seenBy(session, () => this.#state.perform(call, resolved, pump)),
      }),
    );
  }

  /** @internal Begins a transaction on this connection; nothing else may run on it until that has ended. */
  begin(options: TransactionOptions | undefined): Promise<OpenTransaction> {
    return OpenTransaction.begin(this.#services, options, (run) => this.#state.use(run));
  }
}

/** A connection on loan, and whose turn it is. */
class PinnedState {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #turns = new Limiter(1);
  readonly #streams = new Set<RowStream<object>>();
  #lent = true;

  constructor({ connection, services }: Loan) {
    this.#connection = connection;
    this.#timeoutMs = services.config.timeoutMs;
  }

  run(call: Call, options: CallOptions | undefined): Promise<Answer> {
    return this.perform(call, options, (connection, deadline) => connection.run(call.command, deadline));
  }

  async perform<T>(
    call: Call,
    options: CallOptions | undefined,
    act: (connection: Connection, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = new Deadline(options?.timeoutMs ?? Number.POSITIVE_INFINITY, options?.signal);
    const { endpointName: server, epoch } = this.#connection;
    try {
      return await this.#turns.run(
        () => this.use((connection) => act(connection, deadline)),
        this.#wait(deadline),
      );
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      throw toError(error.failure, {
        operation: operationOf(call),
        server,
        epoch,
        timeoutMs: deadline.timeoutMs,
        abortReason: deadline.signal?.reason,
      });
    }
  }

  async use<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#lent) return await run(this.#connection);
    throw new TransactionClosedError(
      'The connection was used after the closure that it was lent to had ended; the statement was not sent. Await every statement inside the closure.',
    );
  }

  streaming<Row extends object>(stream: RowStream<Row>): RowStream<Row> {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  end(): void {
    this.#lent = false;
    for (const stream of this.#streams) stream.destroy();
  }

  /** How long a statement may wait for its turn: its own limit, and behind a stream, which may never be read, some. */
  #wait(own: Deadline): Deadline {
    const isUnlimited = own.timeoutMs === Number.POSITIVE_INFINITY;
    return isUnlimited && this.#streams.size > 0 ? new Deadline(this.#timeoutMs, own.signal) : own;
  }
}
