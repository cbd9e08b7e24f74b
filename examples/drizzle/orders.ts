import { and, asc, DrizzleQueryError, eq, gte, sql } from 'drizzle-orm';
import { int, mysqlTable, varchar } from 'drizzle-orm/mysql-core';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import { type Cluster, DuplicateKeyError } from 'vipsql';
import { drizzle, onReplica } from 'vipsql/drizzle';

// Orders on Drizzle. Run it on a cluster of your own, or see test/integration/examples/drizzle.test.ts.

const product = mysqlTable('product', {
  sku: varchar({ length: 64 }).primaryKey(),
  name: varchar({ length: 200 }).notNull(),
});
const stock = mysqlTable('stock', { sku: varchar({ length: 64 }).primaryKey(), qty: int().notNull() });
const orders = mysqlTable('orders', {
  id: varchar({ length: 64 }).primaryKey(),
  sku: varchar({ length: 64 }).notNull(),
  qty: int().notNull(),
});

export class Orders {
  readonly #database: MySql2Database;

  /** Wants `primaryOnly: ['stock']` in the configuration of the cluster: a stock read on a replica oversells. */
  constructor(db: Cluster) {
    this.#database = drizzle(db);
  }

  async createTables(): Promise<void> {
    for (const table of [
      sql`${product} (sku VARCHAR(64) PRIMARY KEY, name VARCHAR(200) NOT NULL)`,
      sql`${stock} (sku VARCHAR(64) PRIMARY KEY, qty INT NOT NULL)`,
      sql`${orders} (id VARCHAR(64) PRIMARY KEY, sku VARCHAR(64) NOT NULL, qty INT NOT NULL)`,
    ]) {
      await this.#database.execute(sql`CREATE TABLE IF NOT EXISTS ${table}`);
    }
  }

  async offer(sku: string, name: string, qty: number): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.insert(product).values({ sku, name });
      await tx.insert(stock).values({ sku, qty });
    });
  }

  /** From a replica: the catalogue may be a moment old. */
  async catalogue(): Promise<readonly string[]> {
    const rows = await onReplica(this.#database)
      .select({ name: product.name })
      .from(product)
      .orderBy(asc(product.name));
    return rows.map(({ name }) => name);
  }

  /**
   * Sells the pieces once, however often it is called with one id, and resolves to whether there were enough. The check and
   * the sale are one statement. The id comes from the client: after any error, also an `InDoubtError`, it calls again.
   */
  async place(id: string, sku: string, qty: number): Promise<boolean> {
    try {
      return await this.#database.transaction(async (tx) => {
        await tx.insert(orders).values({ id, sku, qty });
        const [{ affectedRows }] = await tx
          .update(stock)
          .set({ qty: sql`${stock.qty} - ${qty}` })
          .where(and(eq(stock.sku, sku), gte(stock.qty, qty)));
        if (affectedRows === 0) throw new SoldOut();
        return true;
      });
    } catch (error) {
      if (error instanceof SoldOut) return false;
      // It had been placed before.
      if (error instanceof DrizzleQueryError && error.cause instanceof DuplicateKeyError) return true;
      throw error;
    }
  }
}

class SoldOut extends Error {}
