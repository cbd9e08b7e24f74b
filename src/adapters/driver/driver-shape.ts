import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { escapeId, escape as escapeValue, format, type SqlValue } from 'mysql2';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { type DriverAnswer, type DriverCallback, DriverCommand } from './driver-command.ts';
import { toDriverError } from './driver-error.ts';
import { type DriverQuery, type DriverQueryInput, driverQuery } from './driver-query.ts';

/** What asks a server as mysql2's users do, as far as all of it looks alike: a connection, or a pool. */
export abstract class DriverShape extends EventEmitter {
  readonly driver: DriverOptions;
  readonly #namedPlaceholders: boolean | undefined;

  constructor(driver: DriverOptions, namedPlaceholders?: boolean) {
    super();
    this.driver = driver;
    this.#namedPlaceholders = namedPlaceholders;
  }

  /** Runs a query. Rejects with an error of mysql2's shape. */
  abstract answer(query: DriverQuery): Promise<DriverAnswer>;

  /** Runs a query and reads its rows one by one. Throws what refuses it. */
  abstract rows(query: DriverQuery, highWaterMark: number | undefined): Readable;

  /** Runs a query with its values escaped into the text. */
  query(input: DriverQueryInput, callback?: DriverCallback): DriverCommand;
  query(input: DriverQueryInput, values: unknown, callback?: DriverCallback): DriverCommand;
  query(input: DriverQueryInput, values?: unknown, callback?: DriverCallback): DriverCommand {
    return this.#called(input, values, callback, false);
  }

  /** Runs a query with its values bound by the server. */
  execute(input: DriverQueryInput, callback?: DriverCallback): DriverCommand;
  execute(input: DriverQueryInput, values: unknown, callback?: DriverCallback): DriverCommand;
  execute(input: DriverQueryInput, values?: unknown, callback?: DriverCallback): DriverCommand {
    return this.#called(input, values, callback, true);
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

  #called(
    input: DriverQueryInput,
    values: unknown,
    callback: DriverCallback | undefined,
    prepare: boolean,
  ): DriverCommand {
    if (typeof values === 'function')
      return this.#called(input, undefined, values as DriverCallback, prepare);
    const query = driverQuery(input, values, { prepare, namedPlaceholders: this.#namedPlaceholders });
    const run = {
      answer: () => this.answer(query),
      rows: (highWaterMark: number | undefined) => this.rows(query, highWaterMark),
      shape: (error: unknown) => toDriverError(error, query.sql) as Error,
    };
    return new DriverCommand(run, callback);
  }
}
