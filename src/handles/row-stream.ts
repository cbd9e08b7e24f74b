import { Readable } from 'node:stream';
import { AbortedError, VipsqlError } from '../errors/errors.ts';
import type { Connection } from '../pool/connection.ts';
import type { RowSource } from '../pool/row-source.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import type { InterruptedFailure } from '../resilience/interruption.ts';
import { toError } from '../resilience/to-error.ts';
import type { Call } from './call.ts';
import type { DefaultRow } from './row-shapes.ts';

/** Rows as a Node stream in object mode; `for await` works, and breaking out of it ends the statement on the server. */
export interface RowStream<Row extends object = DefaultRow> extends Readable {
  /** The rows, one after another. */
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<Row>;
}

/** Runs a statement: borrows a connection, hands it to `pump`, and may do so again while no row has come. */
export type Pump = (pump: (connection: Connection) => Promise<void>) => Promise<void>;

export interface RowStreamOptions {
  readonly call: Call;
  /** The longest wait for the first row, and then for each next one; a reader that is slow itself does not count. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly run: Pump;
  /** Rows kept ready for the reader. Default 64. */
  readonly highWaterMark?: number | undefined;
  /**
   * What becomes of the statement when the reader goes away: it is ended with its connection, or, where the connection is
   * still needed, the rest of its rows is dropped. Default `'end'`.
   */
  readonly onLeave?: ((connection: Connection) => 'end' | 'drop') | undefined;
}

/** The longest time that Node's timers can hold. */
const longestTimerMs = 2 ** 31 - 1;

/** Rows kept ready for the reader. */
const bufferedRows = 64;

/** The longest time that rows without a reader are dropped; then the connection is ended. */
const longestDropMs = 2_000;

/** Makes the stream; the statement is sent when the first row is asked for. */
export function createRowStream<Row extends object>(options: RowStreamOptions): RowStream<Row> {
  const { call, timeoutMs, signal, run, highWaterMark = bufferedRows, onLeave = () => 'end' } = options;
  let started = false;
  let active: ActiveRows | undefined;

  const pump = (connection: Connection): Promise<void> =>
    new Promise((resolve, reject) => {
      if (stream.destroyed) {
        // While it waited for this connection. Nobody would take the rows, nor resume what is paused.
        resolve();
        return;
      }
      const rows = new ActiveRows(stream, connection, timeoutMs);
      active = rows;
      rows.open(call, (error) => {
        active = undefined;
        const isLeft = stream.destroyed && !rows.isDropping;
        if (error === undefined || isLeft) resolve();
        else if (error instanceof VipsqlError) reject(error);
        else reject(rows.count === 0 ? new Failed(error) : broken(error, connection, timeoutMs));
      });
    });

  const stream = new Readable({
    objectMode: true,
    highWaterMark,
    read() {
      if (started) {
        active?.resume();
        return;
      }
      started = true;
      run(pump).then(
        () => stream.push(null),
        (error: Error) => stream.destroy(error),
      );
    },
    destroy(error, callback) {
      active?.leave(onLeave);
      callback(error);
    },
  });
  if (signal !== undefined) endWithSignal(stream, signal, () => active !== undefined);
  return stream as RowStream<Row>;
}

/** The error of a stream that broke after its first row: beginning again would give rows twice. */
function broken(failure: Failure, { endpointName, epoch }: Connection, timeoutMs: number): VipsqlError {
  return toError(failure, { operation: 'read', server: endpointName, epoch, timeoutMs });
}

function endWithSignal(stream: Readable, signal: AbortSignal, wasSent: () => boolean): void {
  const abort = (): void => {
    stream.destroy(
      new AbortedError('The stream was ended by its signal; the statement was stopped.', {
        cause: signal.reason,
        outcome: wasSent() ? 'unknown' : 'not-executed',
      }),
    );
  };
  if (signal.aborted) {
    abort();
    return;
  }
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
}

/** The rows of one statement on their way into a stream. */
class ActiveRows {
  count = 0;
  readonly #stream: Readable;
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  #source: RowSource | undefined;
  #paused = false;
  #late = false;
  #dropping = false;
  #dropLimit: NodeJS.Timeout | undefined;

  constructor(stream: Readable, connection: Connection, timeoutMs: number) {
    this.#stream = stream;
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  open(call: Call, onEnd: (error: Failure | VipsqlError | undefined) => void): void {
    const limit = setTimeout(() => this.#expire(), Math.min(this.#timeoutMs, longestTimerMs));
    const end = (error: Failure | VipsqlError | undefined): void => {
      clearTimeout(limit);
      clearTimeout(this.#dropLimit);
      this.#source = undefined;
      const isLate = this.#late && error !== undefined && !(error instanceof VipsqlError);
      onEnd(isLate ? interruptedRows(error) : error);
    };
    try {
      this.#source = this.#connection.open(call.command, {
        onRow: (row) => {
          this.count += 1;
          limit.refresh();
          if (this.#dropping) return;
          if (this.#stream.push(row)) return;
          this.#paused = true;
          this.#source?.pause();
        },
        onEnd: end,
      });
      this.#rearm = () => limit.refresh();
    } catch (error) {
      if (!(error instanceof Failed) && !(error instanceof VipsqlError)) throw error;
      end(error instanceof Failed ? error.failure : error);
    }
  }

  /** The reader has gone away, and the rest of the rows is waited for. */
  get isDropping(): boolean {
    return this.#dropping;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#rearm();
    this.#source?.resume();
  }

  /** The reader has gone away. */
  leave(onLeave: (connection: Connection) => 'end' | 'drop'): void {
    if (this.#late || onLeave(this.#connection) === 'end') {
      this.stop();
      return;
    }
    this.#dropping = true;
    this.#dropLimit = setTimeout(() => this.stop(), longestDropMs);
    this.resume();
  }

  /** Ends the statement: on the server where that is possible, and here at once. */
  stop(): void {
    const connection = this.#connection;
    connection.kill?.(connection).catch(() => {
      // The connection is destroyed all the same.
    });
    connection.destroy();
  }

  #rearm: () => void = () => {};

  #expire(): void {
    if (this.#paused) return;
    this.#late = true;
    this.stop();
  }
}

function interruptedRows(failure: Failure): InterruptedFailure {
  return { ...failure, kind: 'timeout', phase: 'rows' };
}
