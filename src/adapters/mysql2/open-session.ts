import { ownCommand } from '../../pool/command.ts';
import type { Connection } from '../../pool/connection.ts';
import { Deadline } from '../../resilience/deadline.ts';
import { Failed } from '../../resilience/failed.ts';
import { toError } from '../../resilience/to-error.ts';
import { toDriverError } from '../driver/driver-error.ts';
import type { DriverSession } from '../driver/driver-session.ts';
import type { Reopened } from '../driver/primary-line.ts';
import { PrimarySession } from '../driver/primary-session.ts';
import { ReplicaSession } from '../driver/replica-session.ts';
import { setUpStatements } from '../driver/set-up.ts';
import { traceOf } from '../driver/trace.ts';
import { type FacadeBinding, facadeName } from './binding.ts';
import type { DriverSettings } from './options.ts';

/** A session on one of the connections of the cluster, or for reads on replicas. Rejects with an error of mysql2's shape. */
export function openPooledSession(binding: FacadeBinding): Promise<DriverSession> {
  const { primary } = binding.services;
  return open(binding, (deadline) => primary.borrow(deadline));
}

/** A session on a connection of its own, beside those of the cluster. Rejects with an error of mysql2's shape. */
export function openOwnSession(binding: FacadeBinding, settings: DriverSettings): Promise<DriverSession> {
  const { primary, config } = binding.services;
  const { database, charset, countsChanged } = settings;
  const asked = { ...(database !== undefined && { database }), ...(charset !== undefined && { charset }) };
  const setUp = setUpStatements(asked, config.session);
  return open(binding, async (deadline) => {
    const connection = await primary.lend(deadline, countsChanged ? 'counts-changed' : 'counts-found');
    try {
      for (const text of setUp) await connection.run(ownCommand(text, 'other'), deadline);
    } catch (error) {
      connection.release();
      throw error;
    }
    return connection;
  });
}

async function open(
  binding: FacadeBinding,
  connect: (deadline: Deadline) => Promise<Connection>,
): Promise<DriverSession> {
  const { services, role, driver, timeoutMs } = binding;
  if (role === 'replica') return new ReplicaSession({ services, driver, name: facadeName, timeoutMs });
  const reopen = async (deadline: Deadline): Promise<Reopened> => {
    const connection = await connect(deadline);
    return { connection, close: () => connection.release() };
  };
  const deadline = new Deadline(timeoutMs ?? services.config.timeoutMs);
  try {
    const connection = await connect(deadline);
    return new PrimarySession({ services, connection, driver, timeoutMs, traceOf, reopen });
  } catch (error) {
    const visible =
      error instanceof Failed
        ? toError(error.failure, { operation: 'other', timeoutMs: deadline.timeoutMs })
        : error;
    throw toDriverError(visible, undefined);
  }
}
