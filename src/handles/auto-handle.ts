import { checkReplicaOptions, type ReplicaOptions } from '../config/call-options.ts';
import type { SqlParams } from '../sql/value.ts';
import { begin } from './begin.ts';
import { prepareCall, type Query } from './call.ts';
import type { DefaultRow } from './row-shapes.ts';
import { createRowStream, type RowStream } from './row-stream.ts';
import { RowWriter } from './row-writer.ts';
import { pumpOnAuto, runOnAuto } from './run-on-auto.ts';
import type { Services } from './services.ts';

const name = 'db.auto()';

/**
 * Runs what is proved to be a pure read of no `primaryOnly` table, nor a view over one, as `db.replica()` does, and
 * everything else as `db.primary()` does. `queryWithInfo` tells where a statement went.
 */
export class AutoHandle<Row extends object = DefaultRow> extends RowWriter<Row, ReplicaOptions> {
  readonly #services: Services;

  /** @internal */
  constructor(services: Services, defaults: ReplicaOptions | undefined) {
    super((call, options) => runOnAuto(services, begin(services, name, options), call, options), {
      timezone: services.config.session.timezone,
      defaults,
      check: checkReplicaOptions,
      tokens: services.tokens,
    });
    this.#services = services;
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket. `timeoutMs` limits the wait for the first
   * row and each pause after it. A lost connection is made good only before the first row.
   */
  stream(query: Query, params?: SqlParams, options?: ReplicaOptions): RowStream<Row> {
    const services = this.#services;
    const resolved = this.resolve(options);
    const call = prepareCall({ query, params, options: resolved }, services.config.session.timezone);
    const begun = begin(services, name, resolved);
    return createRowStream<Row>({
      call,
      timeoutMs: begun.timeoutMs,
      signal: resolved?.signal,
      run: pumpOnAuto(services, begun, call, resolved),
    });
  }
}
