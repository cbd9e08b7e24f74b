import { promisify } from 'node:util';
import type ClientMySQL2 from 'knex/lib/dialects/mysql2/index.js';
import { ownCommand } from '../../pool/command.ts';
import type { Deadline } from '../../resilience/deadline.ts';
import { Failed } from '../../resilience/failed.ts';
import { interruptedWait } from '../../resilience/interruption.ts';
import { driverOptionsOf } from '../driver/driver-options.ts';
import { PrimarySession } from '../driver/primary-session.ts';
import { setUpStatements } from '../driver/set-up.ts';
import { checkKnexConfig } from './check-config.ts';
import { checkConnection } from './check-connection.ts';
import type { KnexBinding } from './knex-binding.ts';
import { KnexPrimaryConnection } from './knex-connection.ts';

/** Opens a session on the primary as Knex's pool asks for one. Rejects with {@link Failed} or a `VipsqlError`. */
export async function openPrimarySession(
  client: ClientMySQL2,
  binding: KnexBinding,
  deadline: Deadline,
): Promise<KnexPrimaryConnection> {
  const { services, timeoutMs, migrations, known } = binding;
  const { timezone } = services.config.session;
  // A function has only now said what is in it.
  checkKnexConfig({ connection: client.connectionSettings });
  const warn = (message: string): void => client.logger.warn?.(message);
  await checkConnection(client.connectionSettings, services.config, { known, deadline, warn });
  const connection = await services.primary.lend(deadline);
  const session = new PrimarySession({
    services,
    connection,
    driver: driverOptionsOf(client.connectionSettings, timezone),
    timeoutMs,
    // A schema builder with several statements, say, does not go on with another connection.
    traceOf: () => 'state',
    isUnbounded: () => migrations.running,
    onAnswer: (query, rows) => migrations.executed(query, rows),
    reopen: async (until) => {
      const { session: other } = await reopen(client, binding, until);
      return other;
    },
  });
  try {
    for (const text of setUpStatements(client.connectionSettings, services.config.session)) {
      await connection.run(ownCommand(text, 'other'), deadline);
    }
    await client.checkVersion(versionTeller(connection.facts.version));
  } catch (error) {
    session.close();
    throw error;
  }
  return new KnexPrimaryConnection(session);
}

/** What Knex asks for the version of the server, which is known already. */
function versionTeller(version: string) {
  return {
    query: (_sql: string, answer: (error: null, rows: readonly object[]) => void) =>
      answer(null, [{ version }]),
  };
}

/** The same for a session whose connection is gone, and which Knex's pool has set up already. */
async function reopen(
  client: ClientMySQL2,
  binding: KnexBinding,
  deadline: Deadline,
): Promise<KnexPrimaryConnection> {
  const connection = await openPrimarySession(client, binding, deadline);
  const { afterCreate } = client.config.pool ?? {};
  if (afterCreate === undefined) return connection;
  try {
    await within(deadline, promisify(afterCreate)(connection));
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** The caller's part may never end; the wait for it does. */
async function within(deadline: Deadline, work: Promise<unknown>): Promise<void> {
  let cancel: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    cancel = deadline.onInterrupt((cause) =>
      reject(new Failed(interruptedWait(cause, 'connection', 'pool.afterCreate has not called back'))),
    );
  });
  try {
    await Promise.race([work, interrupted]);
  } finally {
    cancel?.();
  }
}
