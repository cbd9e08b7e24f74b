import { checkReplicaOptions, type ReplicaOptions } from '../config/call-options.ts';
import type { Answer, Command } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { toError } from '../resilience/to-error.ts';
import type { ReadOptions, ReadTrace } from '../routing/read-router.ts';
import type { SqlParams } from '../sql/value.ts';
import { begin, mergeOptions } from './begin.ts';
import {
  type Call,
  prepareCall,
  type ReadQuery,
  refusePrimaryOnly,
  refuseTransactionControl,
  refuseUnlessRead,
} from './call.ts';
import { needFor } from './need-for.ts';
import { type DefaultRow, RowReader } from './row-reader.ts';
import { createRowStream, type RowStream } from './row-stream.ts';
import type { Services } from './services.ts';
import { Snapshot } from './snapshot.ts';

const name = 'db.replica()';

/** Runs reads on a replica, another one when that fails, and the primary when there is none and `fallback` allows. */
export class ReplicaHandle<Row extends object = DefaultRow> extends RowReader<Row, 'read', ReplicaOptions> {
  readonly #services: Services;
  readonly #defaults: ReplicaOptions | undefined;

  /** @internal */
  constructor(services: Services, defaults: ReplicaOptions | undefined) {
    super((call, options) => runOnReplica(services, call, options), {
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
    query: ReadQuery<S>,
    params?: SqlParams,
    options?: ReplicaOptions,
  ): RowStream<Row> {
    const services = this.#services;
    const resolved = mergeOptions(this.#defaults, options, checkReplicaOptions);
    const { timeoutMs, deadline } = begin(services, name, resolved);
    const call = prepareCall({ query, params, options: resolved }, services.config.session.timezone);
    refuse(services, call);
    const need = needFor(services, resolved);
    return createRowStream<Row>({
      call,
      timeoutMs,
      signal: resolved?.signal,
      run: (pump) => read(services, deadline, pump, { timed: false, need }),
      broken: (failure, { endpointName, epoch }) =>
        toError(failure, { operation: 'read', server: endpointName, epoch, timeoutMs }),
    });
  }

  /**
   * Runs `fn` on one replica, where every read sees the same moment (`WITH CONSISTENT SNAPSHOT`). The closure may run
   * again, on another replica, when the first is lost. `timeoutMs` is over all of it.
   */
  async snapshot<T>(fn: (snapshot: Snapshot<Row>) => Promise<T>, options?: ReplicaOptions): Promise<T> {
    const services = this.#services;
    const resolved = mergeOptions(this.#defaults, options, checkReplicaOptions);
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
            check: (call) => refuse(services, call),
          },
          fn,
        ),
      { timed: false, need: needFor(services, resolved) },
    );
  }
}

function runOnReplica(services: Services, call: Call, options: ReplicaOptions | undefined): Promise<Answer> {
  const { deadline } = begin(services, name, options);
  refuse(services, call);
  const command = asRead(call);
  const need = needFor(services, options);
  return read(services, deadline, (connection) => connection.run(command, deadline), { need });
}

/** A session that is READ ONLY makes a read of whatever runs in it, should it be more than its text says. */
function asRead({ command }: Call): Command {
  return command.statement === 'read' ? command : { ...command, statement: 'read' };
}

/** Takes a read to a server and turns a failure into the error that the caller sees; counts it as running meanwhile. */
async function read<T>(
  services: Services,
  deadline: Deadline,
  run: (connection: Connection) => Promise<T>,
  options?: Omit<ReadOptions, 'trace'>,
): Promise<T> {
  const trace: ReadTrace = {};
  let epoch: number | undefined;
  services.running.begin();
  try {
    return await services.reads.read(
      deadline,
      (connection) => {
        trace.server = connection.endpointName;
        epoch = connection.epoch;
        return run(connection);
      },
      { ...options, trace },
    );
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw toError(error.failure, {
      operation: 'read',
      ...trace,
      epoch,
      timeoutMs: deadline.timeoutMs,
      abortReason: deadline.signal?.reason,
    });
  } finally {
    services.running.end();
  }
}

function refuse(services: Services, { statement }: Call): void {
  refuseTransactionControl(statement);
  refusePrimaryOnly(statement, services);
  refuseUnlessRead(statement);
}
