import { type ColumnDefinitionBuilder, Kysely, sql } from 'kysely';
import { type Cluster, DuplicateKeyError } from 'vipsql';
import { onReplica, VipsqlDialect } from 'vipsql/kysely';

// Orders on Kysely. Run it on a cluster of your own, or see test/integration/examples/kysely.test.ts.

interface Database {
  product: { sku: string; name: string };
  stock: { sku: string; qty: number };
  orders: { id: string; sku: string; qty: number };
}

const primaryKey = (column: ColumnDefinitionBuilder) => column.primaryKey();

export class Orders {
  readonly #kysely: Kysely<Database>;

  /** Wants `primaryOnly: ['stock']` in the configuration of the cluster: a stock read on a replica oversells. */
  constructor(db: Cluster) {
    this.#kysely = new Kysely<Database>({ dialect: new VipsqlDialect(db) });
  }

  async createTables(): Promise<void> {
    const table = (name: keyof Database) => this.#kysely.schema.createTable(name).ifNotExists();
    await table('product')
      .addColumn('sku', 'varchar(64)', primaryKey)
      .addColumn('name', 'varchar(200)')
      .execute();
    await table('stock').addColumn('sku', 'varchar(64)', primaryKey).addColumn('qty', 'integer').execute();
    await table('orders')
      .addColumn('id', 'varchar(64)', primaryKey)
      .addColumn('sku', 'varchar(64)')
      .addColumn('qty', 'integer')
      .execute();
  }

  async offer(sku: string, name: string, qty: number): Promise<void> {
    await this.#kysely.transaction().execute(async (trx) => {
      await trx.insertInto('product').values({ sku, name }).execute();
      await trx.insertInto('stock').values({ sku, qty }).execute();
    });
  }

  /** From a replica: the catalogue may be a moment old. */
  async catalogue(): Promise<readonly string[]> {
    const rows = await this.#kysely
      .withPlugin(onReplica())
      .selectFrom('product')
      .select('name')
      .orderBy('name')
      .execute();
    return rows.map(({ name }) => name);
  }

  /**
   * Sells the pieces once, however often it is called with one id, and resolves to whether there were enough. The check and
   * the sale are one statement. The id comes from the client: after any error, also an `InDoubtError`, it calls again.
   */
  async place(id: string, sku: string, qty: number): Promise<boolean> {
    try {
      return await this.#kysely.transaction().execute(async (trx) => {
        await trx.insertInto('orders').values({ id, sku, qty }).execute();
        const { numUpdatedRows } = await trx
          .updateTable('stock')
          .set({ qty: sql`qty - ${qty}` })
          .where('sku', '=', sku)
          .where('qty', '>=', qty)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw new SoldOut();
        return true;
      });
    } catch (error) {
      if (error instanceof SoldOut) return false;
      // It had been placed before.
      if (error instanceof DuplicateKeyError) return true;
      throw error;
    }
  }

  /** Leaves the cluster open. */
  async close(): Promise<void> {
    await this.#kysely.destroy();
  }
}

class SoldOut extends Error {}
