import type { ReplicaOptions } from '../config/call-options.ts';
import type { Answer, Command } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { toError } from '../resilience/to-error.ts';
import type { ReadOptions, ReadTrace } from '../routing/read-router.ts';
import type { Begun } from './begin.ts';
import { type Call, refusePrimaryOnly, refuseTransactionControl, refuseUnlessRead } from './call.ts';
import { needFor } from './need-for.ts';
import { type PrimaryTable, primaryRequired } from './primary-only.ts';
import type { Pump } from './row-stream.ts';
import type { Services } from './services.ts';

/** Runs one read on a replica. */
export function runOnReplica(
  services: Services,
  begun: Begun,
  call: Call,
  options: ReplicaOptions | undefined,
): Promise<Answer> {
  const { deadline } = begun;
  const unknown = refuse(services, call) ? call : undefined;
  const command = asRead(call);
  const limits = limitsOf(services, options);
  return read(services, deadline, (connection) => connection.run(command, deadline), { ...limits, unknown });
}

/** Runs the statement of a stream on a replica. One that breaks is begun again elsewhere only before its first row. */
export function pumpOnReplica(
  services: Services,
  { deadline }: Begun,
  call: Call,
  options: ReplicaOptions | undefined,
): Pump {
  const unknown = refuse(services, call) ? call : undefined;
  const limits = limitsOf(services, options);
  return (pump) => read(services, deadline, pump, { timed: false, ...limits, unknown });
}

/** What a call asks of the server that answers it. */
export function limitsOf(
  services: Services,
  options: ReplicaOptions | undefined,
): Pick<ReadOptions, 'need' | 'maxLagMs'> {
  return { need: needFor(services, options), maxLagMs: options?.maxLagMs };
}

/** A session that is READ ONLY makes a read of whatever runs in it, should it be more than its text says. */
export function asRead({ command }: Call): Command {
  return command.statement === 'read' ? command : { ...command, statement: 'read' };
}

export interface ReplicaRead extends Omit<ReadOptions, 'trace'> {
  /** The statement, when it has names that have to be looked up first. */
  readonly unknown?: Call | undefined;
}

/** Takes a read to a server and turns a failure into the error that the caller sees; counts it as running meanwhile. */
export async function read<T>(
  services: Services,
  deadline: Deadline,
  run: (connection: Connection) => Promise<T>,
  { unknown, ...options }: ReplicaRead,
): Promise<T> {
  const trace: ReadTrace = {};
  let epoch: number | undefined;
  services.running.begin();
  try {
    if (unknown !== undefined) await refuseHidden(services, unknown, deadline);
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

/** Refuses what no replica may be asked, as far as it is known. Returns whether {@link refuseHidden} has to be asked too. */
export function refuse({ primaryOnly }: Services, { statement }: Call): boolean {
  refuseTransactionControl(statement);
  const isUnknown = refusePrimaryOnly(statement, primaryOnly);
  refuseUnlessRead(statement);
  return isUnknown;
}

/** Refuses what views hide, after names that are met for the first time have been looked up. */
export async function refuseHidden(
  { primaryOnly }: Services,
  { statement: { tables } }: Call,
  deadline: Deadline,
): Promise<void> {
  let found: PrimaryTable | undefined;
  try {
    found = await primaryOnly.lookUp(tables, deadline);
  } catch (error) {
    if (!(error instanceof Failed) || deadline.interruption() === 'aborted') throw error;
    const names = tables.map(({ name }) => name).join(', ');
    const why = `may be a view that hides a primaryOnly table, and the primary could not be asked (${error.failure.message})`;
    throw primaryRequired({ table: names, why }, error.failure.cause);
  }
  if (found !== undefined) throw primaryRequired(found);
}
