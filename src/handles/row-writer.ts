import type { ResultSetHeader } from 'mysql2';
import type { CallOptions } from '../config/call-options.ts';
import type { Answer, RawRows } from '../pool/command.ts';
import { type InsertId, insertIds } from '../rows/insert-id.ts';
import type { SqlParams } from '../sql/value.ts';
import type { Query } from './call.ts';
import { type ReaderSettings, RowReader, type RunCall } from './row-reader.ts';
import type { DefaultRow } from './row-shapes.ts';
import type { Tokens } from './tokens.ts';

/** What a statement without rows has done. */
export interface ExecuteResult extends InsertId {
  /** Rows that the statement found or made, also those that it did not have to change. */
  readonly affectedRows: number;
  /** Rows of an UPDATE whose values really changed. */
  readonly changedRows: number;
  readonly warnings: number;
  /**
   * Stands for this write: a read `after` it sees it. `undefined` inside a transaction, where nothing is committed yet,
   * and where the server does not tell positions.
   */
  readonly token: string | undefined;
  readonly server: string;
  readonly epoch: number | undefined;
}

/** What a procedure returned. */
export interface CallResult<Row> extends ExecuteResult {
  readonly sets: readonly Row[][];
}

export interface WriterSettings<Options extends CallOptions = CallOptions> extends ReaderSettings<Options> {
  readonly tokens: Tokens;
}

/** The reading methods, and those that write. */
export class RowWriter<
  Row extends object = DefaultRow,
  Options extends CallOptions = CallOptions,
> extends RowReader<Row, 'any', Options> {
  readonly #tokens: Tokens;

  /** @internal */
  constructor(run: RunCall<Options>, settings: WriterSettings<Options>) {
    super(run, settings);
    this.#tokens = settings.tokens;
  }

  /** Runs a statement for its effect. Rejects with {@link InDoubtError} when a write was sent and never answered. */
  async execute(query: Query, params?: SqlParams, options?: Options): Promise<ExecuteResult> {
    const reply = await this.send(query, params, this.resolve(options));
    return executeResult(lastHeader(reply.rows), reply, this.#tokens);
  }

  /** Calls a procedure (`'CALL restock(?, ?)'`); resolves to the result sets that it returned. */
  async call(query: Query, params?: SqlParams, options?: Options): Promise<CallResult<Row>> {
    const reply = await this.send(query, params, this.resolve(options));
    const { rows } = reply;
    const list = Array.isArray(rows) ? (Array.isArray(rows[0]) ? rows : [rows]) : [];
    const sets = list.filter((entry) => Array.isArray(entry)) as Row[][];
    return Object.assign(executeResult(lastHeader(rows), reply, this.#tokens), { sets });
  }
}

function lastHeader(rows: RawRows): ResultSetHeader | undefined {
  if (!Array.isArray(rows)) return rows;
  const last = rows.at(-1);
  return last !== undefined && 'affectedRows' in last && 'serverStatus' in last
    ? (last as ResultSetHeader)
    : undefined;
}

function executeResult(header: ResultSetHeader | undefined, answer: Answer, tokens: Tokens): ExecuteResult {
  const { server, epoch } = answer;
  return Object.defineProperties(
    {
      affectedRows: header?.affectedRows ?? 0,
      changedRows: header?.changedRows ?? 0,
      warnings: header?.warningStatus ?? 0,
      server,
      epoch,
    },
    // Made when it is read: most writes need none, and a signature takes its time.
    { ...insertIds(header?.insertId ?? 0), token: { get: () => tokens.ofWrite(answer), enumerable: true } },
  ) as ExecuteResult;
}
