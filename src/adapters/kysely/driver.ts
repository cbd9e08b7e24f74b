import type { Driver, TransactionSettings } from 'kysely';
import type { Cluster } from '../../cluster.ts';
import type { QueryOptions } from '../query-options.ts';
import { KyselyConnection } from './connection.ts';

/** Lends what Kysely takes for connections; it has none of its own. */
export class VipsqlDriver implements Driver {
  readonly #db: Cluster;
  readonly #options: QueryOptions;

  constructor(db: Cluster, options: QueryOptions) {
    this.#db = db;
    this.#options = options;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<KyselyConnection> {
    return new KyselyConnection(this.#db, this.#options);
  }

  async releaseConnection(connection: KyselyConnection): Promise<void> {
    await connection.release();
  }

  async beginTransaction(connection: KyselyConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings);
  }

  async commitTransaction(connection: KyselyConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: KyselyConnection): Promise<void> {
    await connection.rollBack();
  }

  async savepoint(connection: KyselyConnection, name: string): Promise<void> {
    await connection.transaction.savepoint(name);
  }

  async rollbackToSavepoint(connection: KyselyConnection, name: string): Promise<void> {
    await connection.transaction.rollBackTo(name);
  }

  async releaseSavepoint(connection: KyselyConnection, name: string): Promise<void> {
    await connection.transaction.release(name);
  }

  async destroy(): Promise<void> {}
}
