import type { CallOptions } from '../config/call-options.ts';
import { TransactionClosedError } from '../errors/errors.ts';
import type { Answer } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { toError } from '../resilience/to-error.ts';
import { type Call, operationOf } from './call.ts';
import type { DefaultRow } from './row-shapes.ts';
import { RowWriter } from './row-writer.ts';
import type { Services } from './services.ts';
import { answeredFor } from './session.ts';

/** The longest that taking back a session's changes may last; after that the connection is closed instead. */
const resetTimeoutMs = 2_000;

/** What is lent, and by whom. */
interface Loan {
  readonly connection: Connection;
  readonly services: Services;
}

/** One connection to the primary, lent for a while; transactions on it are the borrower's own affair. */
export class PinnedConnection<Row extends object = DefaultRow> extends RowWriter<Row> {
  /** The connection's id on its server. */
  readonly id: number;
  readonly server: string;
  readonly epoch: number | undefined;

  private constructor({ connection, services }: Loan, isLent: () => boolean) {
    const turns = new Limiter(1);
    const { sessions, tokens, config } = services;
    super(
      (call, options) =>
        answeredFor(sessions.current, () => turns.run(() => runPinned(connection, call, options, isLent))),
      { timezone: config.session.timezone, tokens },
    );
    this.id = connection.id;
    this.server = connection.endpointName;
    this.epoch = connection.epoch;
  }

  /** @internal Lends `connection` to `fn` and takes its changes back afterwards, or closes it where that fails. */
  static async lend<T>(loan: Loan, fn: (pinned: PinnedConnection) => Promise<T>): Promise<T> {
    const { connection } = loan;
    let lent = true;
    connection.tainted = true;
    try {
      return await fn(new PinnedConnection(loan, () => lent));
    } finally {
      lent = false;
      await connection.reset(new Deadline(resetTimeoutMs)).catch(() => {
        // The reset has destroyed the connection; what fn did or failed with is what the caller has to know.
      });
    }
  }
}

async function runPinned(
  connection: Connection,
  call: Call,
  options: CallOptions | undefined,
  isLent: () => boolean,
): Promise<Answer> {
  if (!isLent()) {
    throw new TransactionClosedError(
      'The connection was used after the closure that it was lent to had ended; the statement was not sent. Await every statement inside the closure.',
    );
  }
  const deadline = new Deadline(options?.timeoutMs ?? Number.POSITIVE_INFINITY, options?.signal);
  const { endpointName: server, epoch } = connection;
  try {
    return await connection.run(call.command, deadline);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw toError(error.failure, {
      operation: operationOf(call),
      server,
      epoch,
      timeoutMs: deadline.timeoutMs,
      abortReason: deadline.signal?.reason,
    });
  }
}
