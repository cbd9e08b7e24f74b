import type { Connection, Pool, PoolCluster } from 'mysql2';
import * as mysql2 from 'mysql2';
import type { Cluster } from '../../cluster.ts';
import { describeValue } from '../../config/redact.ts';
import type { Endpoint, ResolvedConfig } from '../../config/types.ts';
import { ConfigError } from '../../errors/errors.ts';
import { servicesOf } from '../../handles/services.ts';
import { setUpStatements } from '../driver/set-up.ts';
import { bindFacade } from './binding.ts';
import { FacadeConnection } from './facade-connection.ts';
import { FacadePool } from './facade-pool.ts';
import { FacadePoolCluster } from './facade-pool-cluster.ts';
import { openOwnSession } from './open-session.ts';
import { type DriverConfig, driverSettings } from './options.ts';

/** The part of the module mysql2 that ORMs use. */
export interface Mysql2Module {
  /** A connection of its own, beside those of the cluster's pool: for libraries that keep a pool themselves. */
  readonly createConnection: (config?: DriverConfig) => Connection;
  /** A pool of the cluster's connections, as {@link createPool} makes. */
  readonly createPool: (config?: DriverConfig) => Pool;
  /** Pools by name; `host: 'replica'` makes one for reads on replicas. */
  readonly createPoolCluster: () => PoolCluster;
  /** mysql2's own. */
  readonly escape: typeof mysql2.escape;
  /** mysql2's own. */
  readonly escapeId: typeof mysql2.escapeId;
  /** mysql2's own. */
  readonly format: typeof mysql2.format;
  /** mysql2's own. */
  readonly raw: typeof mysql2.raw;
}

/**
 * Makes what an ORM may be given in place of the module mysql2: Sequelize as `dialectModule`, TypeORM as `driver`.
 * Address, account, TLS and sizes in the configuration of the ORM are not used: they are the cluster's. `host: 'replica'`
 * in it, or the host of one of the cluster's replicas, means reads on replicas.
 */
export function mysql2For(db: Cluster): Mysql2Module {
  const services = servicesOf(db);
  const replicas = replicaHosts(services.config);
  const poolFor = (config?: DriverConfig): FacadePool => {
    const { facade, database, charset, countsChanged } = driverSettings(config, replicas);
    const { session } = services.config;
    if (database !== undefined && database !== session.database)
      refuse('database', 'must be that of the cluster', database);
    if (setUpStatements({ ...(charset !== undefined && { charset }) }, session).length > 0)
      refuse('charset', 'must be that of the cluster, whose connections a pool has: set it there', charset);
    if (countsChanged)
      refuse(
        'flags',
        'cannot hold -FOUND_ROWS for a pool: its connections are those of the cluster',
        '-FOUND_ROWS',
      );
    return new FacadePool(bindFacade(services, facade));
  };
  const connectionFor = (config?: DriverConfig): FacadeConnection => {
    const settings = driverSettings(config, replicas);
    const binding = bindFacade(services, settings.facade);
    return new FacadeConnection({ binding, session: openOwnSession(binding, settings) });
  };
  return {
    createConnection: (config) => connectionFor(config) as unknown as Connection,
    createPool: (config) => poolFor(config) as unknown as Pool,
    createPoolCluster: () => new FacadePoolCluster(poolFor) as unknown as PoolCluster,
    escape: mysql2.escape,
    escapeId: mysql2.escapeId,
    format: mysql2.format,
    raw: mysql2.raw,
  };
}

/** Whoever names one of them means a replica, unless the primary has that name too. */
function replicaHosts({ primary, replicas }: ResolvedConfig): ReadonlySet<string> {
  const hosts = replicas.map((source) => (source.kind === 'dns' ? source.dns : hostOf(source.endpoint)));
  return new Set(hosts.filter((host) => host !== '' && host !== hostOf(primary.endpoint)));
}

function hostOf(endpoint: Endpoint): string {
  return endpoint.kind === 'tcp' ? endpoint.host : '';
}

function refuse(path: string, rule: string, value: unknown): never {
  throw new ConfigError([{ path, rule, received: describeValue(value) }], { subject: 'vipsql/mysql2' });
}
