import {
  type CallOptions,
  checkCallOptions,
  checkPrimaryOptions,
  type PrimaryOptions,
} from '../config/call-options.ts';
import type { SqlParams } from '../sql/value.ts';
import { begin } from './begin.ts';
import { prepareCall, type Query } from './call.ts';
import { PinnedConnection } from './pinned-connection.ts';
import type { DefaultRow } from './row-shapes.ts';
import { createRowStream, type RowStream } from './row-stream.ts';
import { RowWriter } from './row-writer.ts';
import { pumpOnPrimary } from './run-on-primary.ts';
import { runWrite } from './run-write.ts';
import type { Services } from './services.ts';
import { withRetries } from './with-retries.ts';

const name = 'db.primary()';

/** Runs statements on the server behind the VIP, and nowhere else. */
export class PrimaryHandle<Row extends object = DefaultRow> extends RowWriter<Row, PrimaryOptions> {
  readonly #services: Services;

  /** @internal */
  constructor(services: Services, defaults: CallOptions | undefined) {
    super((call, resolved) => runWrite(services, begin(services, name, resolved), call, resolved), {
      check: checkPrimaryOptions,
      timezone: services.config.session.timezone,
      defaults,
      tokens: services.tokens,
    });
    this.#services = services;
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket. `timeoutMs` limits the wait for the first
   * row and each pause after it. A lost connection is made good only before the first row.
   */
  stream(query: Query, params?: SqlParams, options?: CallOptions): RowStream<Row> {
    if (options !== undefined) checkCallOptions(options);
    const resolved = this.resolve(options);
    const call = prepareCall({ query, params, options: resolved }, this.#services.config.session.timezone);
    const begun = begin(this.#services, name, resolved);
    const run = pumpOnPrimary(this.#services, begun, call, resolved);
    return createRowStream<Row>({ call, timeoutMs: begun.timeoutMs, signal: resolved?.signal, run });
  }

  /**
   * Lends one connection to `fn`, for session state, locks and whatever else needs one. `timeoutMs` limits the wait
   * for the connection; a statement inside has no limit but the one it is given itself. Nothing inside is retried.
   * Afterwards the session is reset.
   */
  async connection<T>(fn: (connection: PinnedConnection) => Promise<T>, options?: CallOptions): Promise<T> {
    const services = this.#services;
    if (options !== undefined) checkCallOptions(options);
    const { deadline } = begin(services, name, this.resolve(options));
    return await withRetries(
      services,
      { role: 'primary', operation: 'other', idempotent: false, deadline },
      () =>
        services.primary.use(deadline, (connection) => PinnedConnection.lend({ connection, services }, fn)),
    );
  }
}
