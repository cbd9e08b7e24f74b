import { DefaultLogger, type Logger, NoopLogger } from 'drizzle-orm/logger';
import { MySqlDialect } from 'drizzle-orm/mysql-core';
import { MySql2Database } from 'drizzle-orm/mysql2';
import {
  createTableRelationsHelpers,
  extractTablesRelationalConfig,
  type RelationalSchemaConfig,
  type TablesRelationalConfig,
} from 'drizzle-orm/relations';
import type { Cluster } from '../../cluster.ts';
import { describeValue } from '../../config/redact.ts';
import { ConfigError } from '../../errors/errors.ts';
import { servicesOf } from '../../handles/services.ts';
import type { QueryTarget } from '../query-options.ts';
import { checkDrizzleOptions, type DrizzleOptions } from './options.ts';
import { ClusterSession, type DrizzleBinding } from './session.ts';

const bindings = new WeakMap<object, DrizzleBinding>();

/**
 * Makes a database of Drizzle's for MySQL whose queries run on a cluster: on its primary, unless `target` says otherwise.
 * It has no pool of its own, and nothing to close.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export function drizzle<Schema extends Record<string, unknown> = Record<string, never>>(
  db: Cluster,
  options: DrizzleOptions<Schema> = {},
): MySql2Database<Schema> {
  const services = servicesOf(db);
  checkDrizzleOptions(options);
  const { casing, mode = 'default', target = 'primary', timeoutMs, exactlyOnce } = options;
  const binding: DrizzleBinding = {
    services,
    dialect: new MySqlDialect({ ...(casing && { casing }) }),
    schema: options.schema && relationalSchema(options.schema),
    mode,
    logger: loggerFor(options.logger),
    driver: {
      timezone: services.config.session.timezone,
      // What a number cannot hold is text, of which a column makes what it is declared as.
      supportBigNumbers: true,
      // After SET mysql2 would write an object as assignments.
      stringifyObjects: true,
    },
    timeoutMs,
    exactlyOnce,
  };
  return databaseOn<Schema>(binding, target);
}

/**
 * The same database with its queries on a replica, where they may be a little old outside of a session. Anything but a
 * pure read, and a read of a `primaryOnly` table, is refused. Its transactions run on the primary.
 *
 * `onReplica(database).select().from(…)`
 *
 * @throws `ConfigError` for anything that {@link drizzle} has not made, a transaction for one.
 */
export function onReplica<Schema extends Record<string, unknown>>(
  database: MySql2Database<Schema>,
): MySql2Database<Schema> {
  return databaseOn<Schema>(bindingOf(database), 'replica');
}

/** The same database with its queries on the primary. @throws `ConfigError` as {@link onReplica} does. */
export function onPrimary<Schema extends Record<string, unknown>>(
  database: MySql2Database<Schema>,
): MySql2Database<Schema> {
  return databaseOn<Schema>(bindingOf(database), 'primary');
}

function databaseOn<Schema extends Record<string, unknown>>(
  binding: DrizzleBinding,
  target: QueryTarget,
): MySql2Database<Schema> {
  const { dialect, schema, mode } = binding;
  const Database = MySql2Database as unknown as new (...parts: unknown[]) => MySql2Database<Schema>;
  const database = new Database(dialect, new ClusterSession(binding, target), schema, mode);
  bindings.set(database, binding);
  return database;
}

function bindingOf(database: object): DrizzleBinding {
  const binding = bindings.get(database);
  if (binding !== undefined) return binding;
  const rule = 'must be what drizzle(db) of this copy of vipsql has returned';
  throw new ConfigError([{ path: 'database', rule, received: describeValue(database) }], {
    subject: 'vipsql/drizzle',
  });
}

function relationalSchema(
  fullSchema: Record<string, unknown>,
): RelationalSchemaConfig<TablesRelationalConfig> {
  const { tables, tableNamesMap } = extractTablesRelationalConfig(fullSchema, createTableRelationsHelpers);
  return { fullSchema, schema: tables, tableNamesMap };
}

function loggerFor(logger: boolean | Logger | undefined): Logger {
  if (typeof logger === 'object') return logger;
  return logger === true ? new DefaultLogger() : new NoopLogger();
}
