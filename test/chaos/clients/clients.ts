import type { Client, ClientTarget } from '../client.ts';

/** Every client by its name. Loaded when asked for: no process needs more than one of these libraries. */
export const clients = {
  vipsql: async (target) => (await import('./vipsql.ts')).vipsqlClient(target),
  'vipsql, repeating what is in doubt': async (target) =>
    (await import('./vipsql.ts')).repeatingClient(target),
  'mysql2 pool': async (target) => (await import('./mysql2.ts')).mysql2Client(target),
  'mysql2 pool, sensible settings': async (target) =>
    (await import('./mysql2.ts')).sensibleMysql2Client(target),
  'mysql2 PoolCluster': async (target) => (await import('./mysql2.ts')).poolClusterClient(target),
  Knex: async (target) => (await import('./knex.ts')).knexClient(target),
  'Sequelize, replication': async (target) => (await import('./sequelize.ts')).sequelizeClient(target),
  'mariadb PoolCluster': async (target) => (await import('./mariadb.ts')).mariadbClient(target),
} as const satisfies Readonly<Record<string, (target: ClientTarget) => Promise<Client>>>;

export type ClientName = keyof typeof clients;
