import type ClientMySQL2 from 'knex/lib/dialects/mysql2/index.js';
import { describeValue } from '../../config/redact.ts';
import { ConfigError, PrimaryRequiredError } from '../../errors/errors.ts';
import { Deadline } from '../../resilience/deadline.ts';
import { driverOptionsOf } from '../driver/driver-options.ts';
import { ReplicaSession } from '../driver/replica-session.ts';
import { checkKnexConfig } from './check-config.ts';
import { checkConnection } from './check-connection.ts';
import type { KnexBinding } from './knex-binding.ts';
import { KnexConnection } from './knex-connection.ts';

/** Makes what a query on a replica gets for a connection. @throws {@link ConfigError} for another database. */
export async function openReplicaSession(
  client: ClientMySQL2,
  { services, timeoutMs, known }: KnexBinding,
): Promise<KnexConnection<ReplicaSession>> {
  const { database, timezone } = services.config.session;
  if (client.connectionSettings === undefined)
    client.connectionSettings = (await client.connectionConfigProvider?.()) ?? {};
  checkKnexConfig({ connection: client.connectionSettings });
  const deadline = new Deadline(timeoutMs ?? services.config.timeoutMs);
  const warn = (message: string): void => client.logger.warn?.(message);
  await checkConnection(client.connectionSettings, services.config, { known, deadline, warn });
  const wanted = client.database();
  if (wanted !== database) {
    const rule = 'must be the database of the cluster for reads on replicas';
    throw new ConfigError([{ path: 'connection.database', rule, received: describeValue(wanted) }]);
  }
  const { tableName = 'knex_migrations' } = client.config.migrations ?? {};
  const bookkeeping = new Set([tableName, `${tableName}_lock`].map((name) => name.toLowerCase()));
  const session = new ReplicaSession({
    services,
    driver: driverOptionsOf(client.connectionSettings, timezone),
    name: 'knex',
    timeoutMs,
    check: ({ statement }) => refuseBookkeeping(statement.tables, bookkeeping),
  });
  return new KnexConnection(session);
}

/** A list of migrations that lags behind would have them run twice. */
function refuseBookkeeping(
  tables: readonly { readonly name: string }[],
  bookkeeping: ReadonlySet<string>,
): void {
  const found = tables.find(({ name }) => bookkeeping.has(name.toLowerCase()));
  if (found === undefined) return;
  throw new PrimaryRequiredError(
    `"${found.name}" is read on the primary only: it tells Knex which migrations have run. The statement was not sent. ` +
      'Run migrations with a client that is bound to the primary.',
    { table: found.name },
  );
}
