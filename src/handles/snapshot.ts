import { TransactionClosedError } from '../errors/errors.ts';
import { type Answer, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { toError } from '../resilience/to-error.ts';
import type { Call } from './call.ts';
import { RowReader } from './row-reader.ts';
import type { DefaultRow } from './row-shapes.ts';

/** The longest that ending the snapshot may last; after that the connection is destroyed. */
const endTimeoutMs = 1_000;

interface SnapshotOptions {
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly timezone: string;
  /** Refuses statements that do not belong on a replica. */
  readonly check: (call: Call) => Promise<void>;
}

/** Reads on one replica that all see the data of one moment. */
export class Snapshot<Row extends object = DefaultRow> extends RowReader<Row, 'read'> {
  /** The replica, or the primary in its place. */
  readonly server: string;

  private constructor(server: string, timezone: string, run: (call: Call) => Promise<Answer>) {
    super((call) => run(call), { timezone });
    this.server = server;
  }

  /** @internal Opens the snapshot for `fn` and ends it afterwards. Rejects with {@link Failed} when the replica is lost. */
  static async take<Row extends object, T>(
    options: SnapshotOptions,
    fn: (snapshot: Snapshot<Row>) => Promise<T>,
  ): Promise<T> {
    const { connection, deadline, timezone } = options;
    const reader = new SnapshotReader(options);
    await connection.run(ownCommand('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY'), deadline);
    try {
      const result = await fn(
        new Snapshot<Row>(connection.endpointName, timezone, (call) => reader.run(call)),
      );
      await reader.close();
      if (reader.lostTo !== undefined) throw reader.lostTo;
      return result;
    } catch (error) {
      await reader.close();
      throw reader.lostTo ?? error;
    } finally {
      if (connection.usable) {
        await connection
          .run(ownCommand('ROLLBACK'), new Deadline(endTimeoutMs))
          .catch(() => connection.destroy());
      }
    }
  }
}

class SnapshotReader {
  /** The failure that took the connection away, after which the closure may run again elsewhere. */
  lostTo: Failed | undefined;
  readonly #options: SnapshotOptions;
  readonly #turns = new Limiter(1);
  #closed = false;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  async run(call: Call): Promise<Answer> {
    const { connection, deadline, check } = this.#options;
    await this.#told(() => check(call));
    if (this.#closed) {
      throw new TransactionClosedError(
        'The snapshot was used after its closure had ended; the statement was not sent. Await every read inside the closure.',
      );
    }
    return await this.#turns.run(() =>
      this.#told(() => connection.run({ ...call.command, statement: 'read' }, deadline)),
    );
  }

  /** A failure as the error that the closure sees. */
  async #told<T>(ask: () => Promise<T>): Promise<T> {
    const { connection, deadline } = this.#options;
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      if (!connection.usable) this.lostTo ??= error;
      throw toError(error.failure, {
        operation: 'read',
        server: connection.endpointName,
        epoch: connection.epoch,
        timeoutMs: deadline.timeoutMs,
        abortReason: deadline.signal?.reason,
      });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#turns.run(async () => {});
  }
}
