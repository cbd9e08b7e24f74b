import type { Knex } from 'knex';
import ClientMySQL2 from 'knex/lib/dialects/mysql2/index.js';
import Raw from 'knex/lib/raw.js';
import type { Cluster } from '../../cluster.ts';
import { servicesOf } from '../../handles/services.ts';
import { Deadline } from '../../resilience/deadline.ts';
import { Failed } from '../../resilience/failed.ts';
import { toError } from '../../resilience/to-error.ts';
import { toDriverError } from '../driver/driver-error.ts';
import { PrimarySession } from '../driver/primary-session.ts';
import { ReplicaSession } from '../driver/replica-session.ts';
import { TargetedQueryBuilder, targeted } from './builders.ts';
import { checkKnexConfig } from './check-config.ts';
import type { KnexBinding } from './knex-binding.ts';
import { KnexConnection, KnexPrimaryConnection } from './knex-connection.ts';
import { MigrationWatch } from './migration-watch.ts';
import { openPrimarySession } from './open-primary-session.ts';
import { openReplicaSession } from './open-replica-session.ts';
import { checkKnexOptions, type KnexClientOptions } from './options.ts';
import { targetOf } from './query-target.ts';
import { type Connections, withConnections } from './with-connections.ts';

/**
 * Makes the class of a client for Knex, to be used as `knex({ client: knexClient(db), … })`. Its pool holds sessions on
 * the cluster's primary, whichever server that is; `destroy()` ends them and leaves the cluster open.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export function knexClient(db: Cluster, options: KnexClientOptions = {}): typeof Knex.Client {
  checkKnexOptions(options);
  const { target = 'primary', timeoutMs } = options;
  const binding: KnexBinding = {
    services: servicesOf(db),
    target,
    timeoutMs,
    migrations: new MigrationWatch(),
    known: new Set(),
  };
  return class extends VipsqlClient {
    override get binding(): KnexBinding {
      return binding;
    }
  };
}

/**
 * Knex's client for mysql2 with other connections. Knex makes further clients from its prototype, for transactions and
 * copies, which the constructor never sees: nothing is kept in private fields.
 */
abstract class VipsqlClient extends ClientMySQL2 {
  constructor(config: Knex.Config = {}) {
    checkKnexConfig(config);
    // Knex makes a pool only where there is something to connect to.
    super({ ...config, connection: config.connection ?? {} });
  }

  abstract get binding(): KnexBinding;

  override queryBuilder(): Knex.QueryBuilder {
    return new TargetedQueryBuilder(this) as unknown as Knex.QueryBuilder;
  }

  override raw(...args: unknown[]): Knex.Raw {
    return targeted(new Raw(this)).set(...args);
  }

  override database(): string | undefined {
    const { database } = (this.connectionSettings ?? {}) as { readonly database?: string };
    return database ?? this.binding.services.config.session.database;
  }

  /** Transactions run where their connection is; everything else where it says, or the client does. */
  override runner(builder: object): unknown {
    if (this.transacting === true) return super.runner(builder);
    const isQuery = builder instanceof TargetedQueryBuilder || builder instanceof Raw;
    const target = isQuery ? (targetOf(builder) ?? this.binding.target) : 'primary';
    const client = withConnections(
      this,
      target === 'replica' ? replicaConnections(this) : primaryConnections(this),
    );
    return super.runner.call(client, builder);
  }

  override async acquireRawConnection(): Promise<KnexPrimaryConnection> {
    const { timeoutMs } = this.binding.services.config;
    try {
      return await openPrimarySession(this, this.binding, new Deadline(timeoutMs));
    } catch (error) {
      const visible =
        error instanceof Failed ? toError(error.failure, { operation: 'other', timeoutMs }) : error;
      throw toDriverError(visible, undefined);
    }
  }

  override async destroyRawConnection(connection: unknown): Promise<void> {
    if (connection instanceof KnexPrimaryConnection) connection.close();
  }

  override async validateConnection(connection: unknown): Promise<boolean> {
    return connection instanceof KnexPrimaryConnection && connection.session.valid;
  }

  override async acquireConnection(): Promise<unknown> {
    try {
      this.binding.services.scope.refuse('knex');
    } catch (error) {
      throw toDriverError(error, undefined);
    }
    const connection = await super.acquireConnection();
    if (connection instanceof KnexPrimaryConnection) connection.session.lent();
    return connection;
  }

  override releaseConnection(connection: unknown): Promise<void> {
    if (connection instanceof KnexPrimaryConnection) connection.session.returned();
    return super.releaseConnection(connection);
  }

  override async cancelQuery(connection?: unknown): Promise<unknown> {
    return await this._wrappedCancelQueryCall(undefined, connection);
  }

  override async _wrappedCancelQueryCall(_killer: unknown, connection: unknown): Promise<void> {
    const session = connection instanceof KnexConnection ? connection.session : undefined;
    if (session instanceof PrimarySession || session instanceof ReplicaSession) await session.cancel();
    else throw new Error('the connection is not one of vipsql');
  }
}

function primaryConnections(client: VipsqlClient): Connections {
  return {
    acquireConnection: () =>
      client.acquireConnection().then((connection) => {
        if (connection instanceof KnexPrimaryConnection) connection.isForOneRun = true;
        return connection;
      }),
    releaseConnection: (connection) => {
      if (connection instanceof KnexPrimaryConnection) connection.isForOneRun = false;
      return client.releaseConnection(connection);
    },
  };
}

function replicaConnections(client: VipsqlClient): Connections {
  return {
    acquireConnection: async () => await openReplicaSession(client, client.binding),
    releaseConnection: async () => {},
  };
}
