import type { CachedHandleOptions } from '../config/cached-options.ts';
import { checkReplicaOptions, type ReplicaOptions } from '../config/call-options.ts';
import type { SqlFragment } from '../sql/fragment.ts';
import type { ReadSql } from '../sql/read-sql.ts';
import type { SqlParams } from '../sql/value.ts';
import { begin } from './begin.ts';
import { CachedHandle } from './cached-handle.ts';
import { prepareCall } from './call.ts';
import { RowReader } from './row-reader.ts';
import type { DefaultRow } from './row-shapes.ts';
import { createRowStream, type RowStream } from './row-stream.ts';
import { limitsOf, pumpOnReplica, read, refuse, refuseHidden, runOnReplica } from './run-on-replica.ts';
import type { Services } from './services.ts';
import { Snapshot } from './snapshot.ts';

const name = 'db.replica()';

/** Runs reads on a replica, another one when that fails, and the primary when there is none and `fallback` allows. */
export class ReplicaHandle<Row extends object = DefaultRow> extends RowReader<Row, 'read', ReplicaOptions> {
  readonly #services: Services;
  readonly #defaults: ReplicaOptions | undefined;

  /** @internal */
  constructor(services: Services, defaults: ReplicaOptions | undefined) {
    super((call, options) => runOnReplica(services, begin(services, name, options), call, options), {
      timezone: services.config.session.timezone,
      defaults,
      check: checkReplicaOptions,
    });
    this.#services = services;
    this.#defaults = defaults;
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket. `timeoutMs` limits the wait for the first
   * row and each pause after it. A stream that breaks is begun again elsewhere only before its first row.
   */
  stream<const S extends string>(
    query: ReadSql<S> | SqlFragment,
    params?: SqlParams,
    options?: ReplicaOptions,
  ): RowStream<Row> {
    const resolved = this.resolve(options);
    const call = prepareCall({ query, params, options: resolved }, this.#services.config.session.timezone);
    const begun = begin(this.#services, name, resolved);
    const run = pumpOnReplica(this.#services, begun, call, resolved);
    return createRowStream<Row>({ call, timeoutMs: begun.timeoutMs, signal: resolved?.signal, run });
  }

  /** The same reads, answered from the cache where it has an answer that is as new as its last invalidation. */
  cached(options: CachedHandleOptions = {}): CachedHandle<Row> {
    return new CachedHandle<Row>(this.#services, options, this.#defaults);
  }

  /**
   * Runs `fn` on one replica, where every read sees the same moment (`WITH CONSISTENT SNAPSHOT`). The closure may run
   * again, on another replica, when the first is lost. `timeoutMs` is over all of it.
   */
  async snapshot<T>(fn: (snapshot: Snapshot<Row>) => Promise<T>, options?: ReplicaOptions): Promise<T> {
    const services = this.#services;
    const resolved = this.resolve(options);
    const { deadline } = begin(services, name, resolved);
    return await read(
      services,
      deadline,
      (connection) =>
        Snapshot.take<Row, T>(
          {
            connection,
            deadline,
            timezone: services.config.session.timezone,
            check: async (call) => {
              if (refuse(services, call)) await refuseHidden(services, call, deadline);
            },
          },
          fn,
        ),
      { timed: false, ...limitsOf(services, resolved) },
    );
  }
}
