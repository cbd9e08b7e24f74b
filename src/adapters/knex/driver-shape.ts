import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { escapeId, escape as escapeValue, format, type SqlValue } from 'mysql2';
import type { RawFields, RawRows } from '../../pool/command.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { type DriverQuery, type DriverQueryInput, driverQuery } from './driver-query.ts';
import { toKnexError } from './knex-error.ts';

export type DriverAnswer = readonly [RawRows, RawFields];

export type DriverCallback = (error: Error | null, rows?: RawRows, fields?: RawFields) => void;

/** What `query` gives without a callback. */
export interface DriverStream {
  /** Reads the rows one by one. */
  stream(options?: { readonly highWaterMark?: number }): Readable;
}

/** What `promise()` gives. */
export interface DriverPromises {
  query(input: DriverQueryInput, values?: unknown): Promise<DriverAnswer>;
  execute(input: DriverQueryInput, values?: unknown): Promise<DriverAnswer>;
}

/** A connection as Knex and `pool.afterCreate` know it from mysql2, as far as they use it. */
export abstract class DriverShape extends EventEmitter {
  protected readonly driver: DriverOptions;

  constructor(driver: DriverOptions) {
    super();
    this.driver = driver;
  }

  /** Runs a query. Rejects with an error of Knex's shape. */
  protected abstract answer(query: DriverQuery): Promise<DriverAnswer>;

  /** Runs a query and reads its rows one by one. Throws what refuses it. */
  protected abstract rows(query: DriverQuery, highWaterMark: number | undefined): Readable;

  /** Runs a query with its values escaped into the text; without a callback its rows can be read as a stream. */
  query(input: DriverQueryInput, callback?: DriverCallback): DriverStream | undefined;
  query(input: DriverQueryInput, values: unknown, callback?: DriverCallback): DriverStream | undefined;
  query(input: DriverQueryInput, values?: unknown, callback?: DriverCallback): DriverStream | undefined {
    return this.#called(input, values, callback, false);
  }

  /** Runs a query with its values bound by the server. */
  execute(input: DriverQueryInput, callback?: DriverCallback): DriverStream | undefined;
  execute(input: DriverQueryInput, values: unknown, callback?: DriverCallback): DriverStream | undefined;
  execute(input: DriverQueryInput, values?: unknown, callback?: DriverCallback): DriverStream | undefined {
    return this.#called(input, values, callback, true);
  }

  /** Asks the server for a sign of life. */
  ping(callback: DriverCallback): void {
    this.query('DO 1', callback);
  }

  /** The same connection with promises instead of callbacks. */
  promise(): DriverPromises {
    return {
      query: (input, values) => this.answer(driverQuery(input, values, false)),
      execute: (input, values) => this.answer(driverQuery(input, values, true)),
    };
  }

  escape(value: SqlValue): string {
    return escapeValue(value, false, this.driver.timezone);
  }

  escapeId(value: string): string {
    return escapeId(value);
  }

  format(sql: string, values?: SqlValue[]): string {
    return format(sql, values, this.driver.stringifyObjects === true, this.driver.timezone);
  }

  /** Knex listens to the stream only: an error that is thrown it would never hear of. */
  #stream(query: DriverQuery, highWaterMark: number | undefined): Readable {
    try {
      return this.rows(query, highWaterMark);
    } catch (error) {
      return new Readable({ objectMode: true }).destroy(toKnexError(error, query.sql) as Error);
    }
  }

  #called(
    input: DriverQueryInput,
    values: unknown,
    callback: DriverCallback | undefined,
    prepare: boolean,
  ): DriverStream | undefined {
    if (typeof values === 'function')
      return this.#called(input, undefined, values as DriverCallback, prepare);
    const query = driverQuery(input, values, prepare);
    if (callback === undefined) return { stream: (options) => this.#stream(query, options?.highWaterMark) };
    // Whatever a callback throws is its own affair, as it is with mysql2.
    this.answer(query).then(
      ([rows, fields]) => queueMicrotask(() => callback(null, rows, fields)),
      (error: Error) => queueMicrotask(() => callback(error)),
    );
    return undefined;
  }
}
