import knexModule, { type Knex } from 'knex';
import { type Cluster, DuplicateKeyError } from 'vipsql';
import { knexClient } from 'vipsql/knex';

// Orders on Knex. Run it on a cluster of your own, or see test/integration/examples/knex.test.ts.

export class Orders {
  readonly #knex: Knex;

  /** Wants `primaryOnly: ['stock']` in the configuration of the cluster: a stock read on a replica oversells. */
  constructor(db: Cluster) {
    this.#knex = knexModule({ client: knexClient(db), pool: { min: 0, max: 10 } });
  }

  async createTables(): Promise<void> {
    await this.#knex.schema
      .createTable('product', (table) => {
        table.string('sku', 64).primary();
        table.string('name', 200).notNullable();
      })
      .createTable('stock', (table) => {
        table.string('sku', 64).primary();
        table.integer('qty').notNullable();
      })
      .createTable('orders', (table) => {
        table.string('id', 64).primary();
        table.string('sku', 64).notNullable();
        table.integer('qty').notNullable();
      });
  }

  async offer(sku: string, name: string, qty: number): Promise<void> {
    await this.#knex.transaction(async (trx) => {
      await trx('product').insert({ sku, name });
      await trx('stock').insert({ sku, qty });
    });
  }

  /** From a replica: the catalogue may be a moment old. */
  async catalogue(): Promise<readonly string[]> {
    return await this.#knex('product').replica().orderBy('name').pluck('name');
  }

  /**
   * Sells the pieces once, however often it is called with one id, and resolves to whether there were enough. The check and
   * the sale are one statement. The id comes from the client: after any error, also an `InDoubtError`, it calls again.
   */
  async place(id: string, sku: string, qty: number): Promise<boolean> {
    try {
      return await this.#knex.transaction(async (trx) => {
        await trx('orders').insert({ id, sku, qty });
        const sold = await trx('stock').where({ sku }).where('qty', '>=', qty).decrement('qty', qty);
        if (sold === 0) throw new SoldOut();
        return true;
      });
    } catch (error) {
      if (error instanceof SoldOut) return false;
      // It had been placed before.
      if (error instanceof Error && error.cause instanceof DuplicateKeyError) return true;
      throw error;
    }
  }

  /** Leaves the cluster open. */
  async close(): Promise<void> {
    await this.#knex.destroy();
  }
}

class SoldOut extends Error {}
