import type { FieldPacket } from 'mysql2';
import type { CallOptions, SchemaOption } from '../config/call-options.ts';
import type { Answer, RawFields, RawRows } from '../pool/command.ts';
import { applySchema } from '../rows/schema.ts';
import type { SqlParams } from '../sql/value.ts';
import { mergeOptions } from './begin.ts';
import { type Call, prepareCall, type Query } from './call.ts';
import { type DefaultRow, type QueryOf, RowShapes } from './row-shapes.ts';

/** One column of a result. */
export interface Field {
  readonly name: string;
  /** MySQL's number of the column type, as in mysql2's `Types`. */
  readonly columnType: number;
  /** The table's name or alias; empty for an expression. */
  readonly table: string;
}

/** A result with what is known about it. */
export interface ResultInfo<Row> {
  readonly rows: Row[];
  readonly fields: readonly Field[];
  /** The server that answered. */
  readonly server: string;
  /** The epoch, when it was the primary. */
  readonly epoch: number | undefined;
}

/** Sends one statement to where a handle's statements go. */
export type RunCall<Options extends CallOptions = CallOptions> = (
  call: Call,
  options: Options | undefined,
) => Promise<Answer>;

/** What holds for every call of a handle. */
export interface ReaderSettings<Options extends CallOptions = CallOptions> {
  /** The session's time zone, as `+00:00`. */
  readonly timezone: string;
  /** Options of every call that the call itself does not give. */
  readonly defaults?: Options | undefined;
  /** Refuses options that a call of the handle cannot have; by default those that only some handles know. */
  readonly check?: (options: Options | undefined) => void;
}

/** The reading methods that every handle has. */
export class RowReader<
  Row extends object = DefaultRow,
  Kind extends 'any' | 'read' = 'any',
  Options extends CallOptions = CallOptions,
> extends RowShapes<Row, Kind, Options> {
  readonly #run: RunCall<Options>;
  readonly #settings: ReaderSettings<Options>;

  /** @internal */
  constructor(run: RunCall<Options>, settings: ReaderSettings<Options>) {
    super();
    this.#run = run;
    this.#settings = settings;
  }

  /** Resolves to the rows, whose type stands on the handle (`db.replica<Row>()`); to `[]` for a statement that has none. */
  query<T extends object, const S extends string = string>(
    query: QueryOf<Kind, S>,
    params: SqlParams | undefined,
    options: Options & SchemaOption<T>,
  ): Promise<T[]>;
  query<const S extends string>(
    query: QueryOf<Kind, S>,
    params?: SqlParams,
    options?: Options,
  ): Promise<Row[]>;
  override async query(query: Query, params?: SqlParams, options?: Options): Promise<Row[]> {
    const resolved = this.resolve(options);
    const { rows } = await this.send(query, params, resolved);
    return checked(firstSet(rows) as Row[], resolved);
  }

  /** As `query`, with the fields and the server that answered. */
  async queryWithInfo<const S extends string>(
    query: QueryOf<Kind, S>,
    params?: SqlParams,
    options?: Options,
  ): Promise<ResultInfo<Row>> {
    const resolved = this.resolve(options);
    const { rows, fields, server, epoch } = await this.send(query, params, resolved);
    return {
      rows: checked(firstSet(rows) as Row[], resolved),
      fields: firstFields(fields).map(({ name, type = 0, table }) => ({ name, columnType: type, table })),
      server,
      epoch,
    };
  }

  /** @internal The options of a call, with the handle's. */
  protected resolve(given: Options | undefined): Options | undefined {
    const { defaults, check } = this.#settings;
    return mergeOptions(defaults, given, check);
  }

  /** @internal Throws what is wrong with the statement or its values. */
  protected send(query: Query, params: SqlParams | undefined, options: Options | undefined): Promise<Answer> {
    return this.#run(prepareCall({ query, params, options }, this.#settings.timezone), options);
  }
}

/** The rows of a result, of its first set when a procedure returned several, or none. */
export function firstSet(rows: RawRows): DefaultRow[] {
  if (!Array.isArray(rows)) return [];
  const [first] = rows;
  return Array.isArray(first) ? first : isHeaders(rows) ? [] : (rows as DefaultRow[]);
}

function isHeaders(rows: readonly unknown[]): boolean {
  return (
    (rows[0] as { constructor?: { name?: string } } | undefined)?.constructor?.name === 'ResultSetHeader'
  );
}

function firstFields(fields: RawFields): readonly FieldPacket[] {
  const list = fields?.find((entry) => entry !== undefined);
  if (list === undefined) return [];
  return Array.isArray(list) ? list : (fields as readonly FieldPacket[]);
}

/** Rows as the schema of the call makes them. */
export function checked<Row extends object>(rows: Row[], options: CallOptions | undefined): Row[] {
  return options?.schema === undefined ? rows : (applySchema(rows, options.schema) as Row[]);
}
