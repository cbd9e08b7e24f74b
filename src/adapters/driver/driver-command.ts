import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { RawFields, RawRows } from '../../pool/command.ts';

export type DriverAnswer = readonly [RawRows, RawFields];

export type DriverCallback = (error: Error | null, rows?: RawRows, fields?: RawFields) => void;

/** How a command gets what the server answers. */
export interface CommandRun {
  answer(): Promise<DriverAnswer>;
  /** Throws what refuses the query. */
  rows(highWaterMark: number | undefined): Readable;
  /** The error that the user sees, of anything that was thrown. */
  shape(error: unknown): Error;
}

/**
 * What mysql2's `query` and `execute` return. With a callback that gets the answer; without one it is read as a stream
 * where one is asked for at once, and else told by events when it is complete: `fields`, `result` for each row, `end`.
 */
export class DriverCommand extends EventEmitter {
  readonly #run: CommandRun;
  #streamed = false;

  constructor(run: CommandRun, callback: DriverCallback | undefined) {
    super();
    this.#run = run;
    if (callback !== undefined) this.#call(callback);
    else queueMicrotask(() => this.#tell());
  }

  /** Reads the rows one by one, with back-pressure. To be called at once after `query` or `execute`. */
  stream(options?: { readonly highWaterMark?: number }): Readable {
    this.#streamed = true;
    const stream = this.#open(options?.highWaterMark);
    stream.once('end', () => this.emit('end'));
    stream.once('error', (error) => {
      if (this.listenerCount('error') > 0) this.emit('error', error);
    });
    return stream;
  }

  /** Whoever reads a stream listens to it only: an error that is thrown he would never hear of. */
  #open(highWaterMark: number | undefined): Readable {
    try {
      return this.#run.rows(highWaterMark);
    } catch (error) {
      return new Readable({ objectMode: true }).destroy(this.#run.shape(error));
    }
  }

  /** Whatever a callback throws is its own affair, as it is with mysql2. */
  #call(callback: DriverCallback): void {
    this.#run.answer().then(
      ([rows, fields]) =>
        queueMicrotask(() => {
          callback(null, rows, fields);
          this.emit('end');
        }),
      (error: Error) =>
        queueMicrotask(() => {
          callback(error);
          this.emit('end');
        }),
    );
  }

  #tell(): void {
    if (this.#streamed) return;
    this.#run.answer().then(
      ([rows, fields]) =>
        queueMicrotask(() => {
          this.emit('fields', fields);
          for (const row of Array.isArray(rows) ? rows : [rows]) this.emit('result', row, 0);
          this.emit('end');
        }),
      (error: Error) =>
        queueMicrotask(() => {
          this.emit('error', error);
        }),
    );
  }
}
