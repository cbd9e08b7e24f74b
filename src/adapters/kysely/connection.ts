import type {
  AbortableOperationOptions,
  CompiledQuery,
  DatabaseConnection,
  QueryResult,
  TransactionSettings,
} from 'kysely';
import type { Cluster } from '../../cluster.ts';
import type { IsolationLevel, TransactionOptions } from '../../config/call-options.ts';
import { SessionStateError, TransactionClosedError } from '../../errors/errors.ts';
import { changesSession } from '../../handles/call.ts';
import { OpenTransaction } from '../../handles/open-transaction.ts';
import { servicesOf } from '../../handles/services.ts';
import { analyze } from '../../sql/statement.ts';
import type { SqlParams } from '../../sql/value.ts';
import type { QueryOptions } from '../query-options.ts';
import { targetOf } from './on-target.ts';
import { OwnSession } from './own-session.ts';
import { type Place, readerPlace, writerPlace } from './place.ts';

/**
 * What Kysely takes for one connection. Each statement takes one of the cluster's, until a transaction begins, or a
 * statement leaves something in its session: from then on all of them run there, until it is given back.
 */
export class KyselyConnection implements DatabaseConnection {
  readonly #db: Cluster;
  readonly #options: QueryOptions;
  #session: OwnSession | undefined;
  /** The open one, also while it ends, and after a COMMIT that failed. */
  #transaction: OpenTransaction | undefined;
  #isReleased = false;
  /** Ends the statement under way. */
  #running: AbortController | undefined;
  /** Where the statement runs that the session was opened for. */
  #opened: Place | undefined;
  /** Why what was answered last is in vain if the session ends now. */
  #inVain: string | undefined;

  constructor(db: Cluster, options: QueryOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** The open one. @throws {TransactionClosedError} */
  get transaction(): OpenTransaction {
    if (this.#transaction !== undefined) return this.#transaction;
    throw new TransactionClosedError('There is no open transaction on this connection; nothing was sent.');
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const { exactlyOnce } = this.#options;
    const options: TransactionOptions = {
      isolation: isolationLevel as IsolationLevel | undefined,
      readOnly: accessMode === 'read only',
      // There is nothing in it that could be done twice.
      exactlyOnce: accessMode === 'read only' ? undefined : exactlyOnce,
    };
    this.#transaction = await (this.#session?.pinned.begin(options) ??
      OpenTransaction.begin(servicesOf(this.#db), options));
  }

  /** A transaction whose COMMIT has failed takes no more statements, until it is rolled back. */
  async commit(): Promise<void> {
    await this.transaction.commit();
    await this.#ended();
  }

  /** Kysely asks for it after a COMMIT that failed, too: then there is nothing left to do. */
  async rollBack(): Promise<void> {
    await this.#transaction?.rollBack();
    await this.#ended();
  }

  /** Afterwards nothing of it is left: an open transaction is rolled back, and its session is taken back. */
  async release(): Promise<void> {
    this.#isReleased = true;
    const inVain = this.#inVain;
    await this.rollBack();
    await this.#session?.end();
    this.#session = undefined;
    if (inVain === undefined) return;
    throw new SessionStateError(
      `The statement was executed, but it was the only one of its session, and ${inVain}: that has ended with the ` +
        'session. Use kysely.connection().execute(…) for it and for what needs it.',
    );
  }

  /** Statements that were waiting for those before them are refused by the transaction that they were meant for. */
  async #ended(): Promise<void> {
    if (this.#transaction === undefined) return;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    this.#transaction = undefined;
  }

  async executeQuery<Row>(
    query: CompiledQuery,
    options?: AbortableOperationOptions,
  ): Promise<QueryResult<Row>> {
    // The signal itself is Kysely's affair: it calls cancelQuery where the statement is to be stopped.
    const running = options?.signal && new AbortController();
    this.#running = running;
    const place = await this.#placeFor(query);
    const { timeoutMs } = this.#options;
    const limits = { timeoutMs, signal: running?.signal };
    const isFirst = place === this.#opened;
    this.#opened = undefined;
    const result = (await place.run(query.sql, query.parameters as SqlParams, limits)) as QueryResult<Row>;
    if (isFirst) this.#noteFirst(query);
    return result;
  }

  /** Kysely gives a query's own connection back at once; whoever has asked for a connection needs a moment to use it. */
  #noteFirst({ sql }: CompiledQuery): void {
    this.#inVain = analyze(sql).demand?.reason;
    setImmediate(() => {
      this.#inVain = undefined;
    });
  }

  async *streamQuery<Row>(
    query: CompiledQuery,
    chunkSize: number,
    options?: AbortableOperationOptions,
  ): AsyncIterableIterator<QueryResult<Row>> {
    const place = await this.#placeFor(query);
    const limits = { timeoutMs: this.#options.timeoutMs, signal: options?.signal };
    const stream = place.stream(query.sql, query.parameters as SqlParams, limits);
    let rows: Row[] = [];
    for await (const row of stream) {
      rows.push(row as Row);
      if (rows.length < chunkSize) continue;
      yield { rows };
      rows = [];
    }
    if (rows.length > 0) yield { rows };
  }

  /** Has the server stop the statement under way, over a connection of the cluster's own. */
  async cancelQuery(): Promise<void> {
    this.#running?.abort();
  }

  /** The same: a connection whose statement was stopped is not used again. */
  async killSession(): Promise<void> {
    this.#running?.abort();
  }

  async #placeFor(query: CompiledQuery): Promise<Place> {
    if (this.#isReleased)
      throw new TransactionClosedError('The connection was given back; nothing was sent.');
    if (this.#transaction !== undefined) return writerPlace(this.#transaction.tx);
    const target = targetOf(query, this.#options.target ?? 'primary');
    if (this.#session === undefined && target !== 'replica' && changesSession(analyze(query.sql))) {
      this.#session = await OwnSession.begin(this.#db);
      this.#opened = writerPlace(this.#session.pinned);
      return this.#opened;
    }
    if (this.#session !== undefined) return writerPlace(this.#session.pinned);
    return target === 'replica' ? readerPlace(this.#db.replica()) : writerPlace(this.#db[target]());
  }
}
