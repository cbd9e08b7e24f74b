import type { CallOptions, SchemaOption } from '../config/call-options.ts';
import { RowCountError } from '../errors/errors.ts';
import type { SqlFragment } from '../sql/fragment.ts';
import type { ReadSql } from '../sql/read-sql.ts';
import type { SqlParams } from '../sql/value.ts';
import type { Query } from './call.ts';

/** A row as it comes when nobody says more. */
export type DefaultRow = Record<string, unknown>;

/** What a handle may be given: anything, or only what may be a read. No alias stands for that, for it would hide what {@link ReadSql} says. */
export type QueryOf<Kind extends 'any' | 'read', S extends string> = Kind extends 'read'
  ? ReadSql<S> | SqlFragment
  : S | SqlFragment;

/** One row, one value, or none: made of what `query` gives. */
export abstract class RowShapes<
  Row extends object = DefaultRow,
  Kind extends 'any' | 'read' = 'any',
  Options extends CallOptions = CallOptions,
> {
  /** Resolves to the rows; to `[]` for a statement that has none. */
  abstract query<T extends object, const S extends string = string>(
    query: QueryOf<Kind, S>,
    params: SqlParams | undefined,
    options: Options & SchemaOption<T>,
  ): Promise<T[]>;
  abstract query<const S extends string>(
    query: QueryOf<Kind, S>,
    params?: SqlParams,
    options?: Options,
  ): Promise<Row[]>;

  /** Resolves to the only row. Rejects with {@link RowCountError} unless there is exactly one. */
  one<T extends object, const S extends string = string>(
    query: QueryOf<Kind, S>,
    params: SqlParams | undefined,
    options: Options & SchemaOption<T>,
  ): Promise<T>;
  one<const S extends string>(query: QueryOf<Kind, S>, params?: SqlParams, options?: Options): Promise<Row>;
  async one(query: Query, params?: SqlParams, options?: Options): Promise<Row> {
    const [row, second] = await this.query(query, params, options);
    if (row === undefined)
      throw new RowCountError('one() found no row; use maybeOne() where that is normal.', { rowCount: 0 });
    if (second !== undefined) throw tooMany('one()');
    return row;
  }

  /** Resolves to the only row, or `undefined`. Rejects with {@link RowCountError} when there are more. */
  maybeOne<T extends object, const S extends string = string>(
    query: QueryOf<Kind, S>,
    params: SqlParams | undefined,
    options: Options & SchemaOption<T>,
  ): Promise<T | undefined>;
  maybeOne<const S extends string>(
    query: QueryOf<Kind, S>,
    params?: SqlParams,
    options?: Options,
  ): Promise<Row | undefined>;
  async maybeOne(query: Query, params?: SqlParams, options?: Options): Promise<Row | undefined> {
    const [row, second] = await this.query(query, params, options);
    if (second !== undefined) throw tooMany('maybeOne()');
    return row;
  }

  /** Resolves to the only column of the only row. Rejects with {@link RowCountError} for any other shape. */
  async value<T = unknown, const S extends string = string>(
    query: QueryOf<Kind, S>,
    params?: SqlParams,
    options?: Options,
  ): Promise<T> {
    const [row, second] = await this.query(query, params, options);
    if (second !== undefined) throw tooMany('value()');
    if (row === undefined) {
      throw new RowCountError('value() found no row; use maybeOne() where that is normal.', { rowCount: 0 });
    }
    const values = Object.values(row);
    if (values.length !== 1) {
      throw new RowCountError(`value() wants one column and found ${values.length}.`, { rowCount: 1 });
    }
    return values[0] as T;
  }
}

function tooMany(method: string): RowCountError {
  return new RowCountError(`${method} found more than one row; add a condition or LIMIT 1.`, { rowCount: 2 });
}
