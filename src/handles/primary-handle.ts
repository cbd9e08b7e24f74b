import type { CallOptions } from '../config/call-options.ts';
import type { Answer } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline } from '../resilience/deadline.ts';
import { toError } from '../resilience/to-error.ts';
import type { SqlParams } from '../sql/value.ts';
import { begin, mergeOptions } from './begin.ts';
import {
  type Call,
  isUnbounded,
  operationOf,
  prepareCall,
  type Query,
  refuseSessionState,
  refuseTransactionControl,
} from './call.ts';
import { PinnedConnection } from './pinned-connection.ts';
import type { DefaultRow } from './row-reader.ts';
import { createRowStream, type RowStream } from './row-stream.ts';
import { RowWriter } from './row-writer.ts';
import type { Services } from './services.ts';
import { answeredFor, seenBy } from './session.ts';
import { type AttemptTrace, withRetries } from './with-retries.ts';

const name = 'db.primary()';

/** Runs statements on the server behind the VIP, and nowhere else. */
export class PrimaryHandle<Row extends object = DefaultRow> extends RowWriter<Row> {
  readonly #services: Services;
  readonly #defaults: CallOptions | undefined;

  /** @internal */
  constructor(services: Services, defaults: CallOptions | undefined) {
    super((call, resolved) => runOnPrimary(services, call, resolved), {
      timezone: services.config.session.timezone,
      defaults,
      tokens: services.tokens,
    });
    this.#services = services;
    this.#defaults = defaults;
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket. `timeoutMs` limits the wait for the first
   * row and each pause after it. A lost connection is made good only before the first row.
   */
  stream(query: Query, params?: SqlParams, options?: CallOptions): RowStream<Row> {
    const services = this.#services;
    const resolved = mergeOptions(this.#defaults, options);
    const { timeoutMs, deadline } = begin(services, name, resolved);
    const call = prepareCall({ query, params, options: resolved }, services.config.session.timezone);
    refuseTransactionControl(call.statement);
    refuseSessionState(call.statement);
    const operation = operationOf(call);
    const session = services.sessions.current;
    return createRowStream<Row>({
      call,
      timeoutMs,
      signal: resolved?.signal,
      run: (pump) =>
        seenBy(session, () =>
          withRetries(
            services,
            {
              role: 'primary',
              operation,
              idempotent: resolved?.idempotent === true,
              deadline,
            },
            (trace) =>
              services.primary.use(
                deadline,
                (connection) => {
                  note(trace, connection);
                  return pump(connection);
                },
                operation === 'read',
              ),
          ),
        ),
      broken: (failure, { endpointName, epoch }) =>
        toError(failure, { operation: 'read', server: endpointName, epoch, timeoutMs }),
    });
  }

  /**
   * Lends one connection to `fn`, for session state, locks and whatever else needs one. `timeoutMs` limits the wait
   * for the connection; a statement inside has no limit but the one it is given itself. Nothing inside is retried.
   * Afterwards the session is reset.
   */
  async connection<T>(fn: (connection: PinnedConnection) => Promise<T>, options?: CallOptions): Promise<T> {
    const services = this.#services;
    const { deadline } = begin(services, name, mergeOptions(this.#defaults, options));
    return await withRetries(
      services,
      { role: 'primary', operation: 'other', idempotent: false, deadline },
      () =>
        services.primary.use(deadline, (connection) => PinnedConnection.lend({ connection, services }, fn)),
    );
  }
}

/** Runs one statement on the primary, again where the outcome table allows. */
function runOnPrimary(services: Services, call: Call, options: CallOptions | undefined): Promise<Answer> {
  const { deadline } = begin(services, name, options);
  refuseTransactionControl(call.statement);
  refuseSessionState(call.statement);
  const answerBy =
    options?.timeoutMs === undefined && isUnbounded(call.statement)
      ? new Deadline(Number.POSITIVE_INFINITY, options?.signal)
      : deadline;
  const operation = operationOf(call);
  const idempotent = options?.idempotent === true;
  return answeredFor(services.sessions.current, () =>
    withRetries(services, { role: 'primary', operation, idempotent, deadline }, (trace) =>
      services.primary.use(
        deadline,
        (connection) => {
          note(trace, connection);
          return connection.run(call.command, answerBy);
        },
        operation === 'read',
      ),
    ),
  );
}

function note(trace: AttemptTrace, { endpointName, epoch }: Connection): void {
  trace.server = endpointName;
  trace.epoch = epoch;
}
