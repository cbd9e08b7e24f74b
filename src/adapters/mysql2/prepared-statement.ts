import { ClosedError } from '../../errors/errors.ts';
import type { DriverCallback, DriverCommand } from '../driver/driver-command.ts';
import { toDriverError } from '../driver/driver-error.ts';
import type { DriverQueryInput } from '../driver/driver-query.ts';
import type { FacadeConnection } from './facade-connection.ts';

/** What `prepare` gives: a text that is executed with different values. Statements on the server come and go below it. */
export class PreparedStatement {
  /** The text, as mysql2 calls it. */
  readonly query: string;
  /** What mysql2's promise wrapper looks at. */
  readonly _connection: FacadeConnection;
  readonly #input: DriverQueryInput;
  #closed = false;

  constructor(connection: FacadeConnection, input: DriverQueryInput, sql: string) {
    this._connection = connection;
    this.#input = input;
    this.query = sql;
  }

  execute(values?: unknown, callback?: DriverCallback): DriverCommand | undefined {
    if (!this.#closed) return this._connection.execute(this.#input, values, callback);
    const why = new ClosedError('The prepared statement was closed. Nothing was sent.');
    const error = toDriverError(why, this.query) as Error;
    const done = typeof values === 'function' ? (values as DriverCallback) : callback;
    if (done === undefined) throw error;
    queueMicrotask(() => done(error));
    return undefined;
  }

  close(): void {
    this.#closed = true;
  }
}
