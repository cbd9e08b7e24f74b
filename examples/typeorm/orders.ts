import { type DataSource, EntitySchema, MoreThanOrEqual, QueryFailedError } from 'typeorm';

// Orders on TypeORM. Nothing here knows of vipsql: it is given an initialised DataSource whose `driver` is
// `mysql2For(db)`, with `replication` to a slave whose host is 'replica'. See test/integration/examples/typeorm.test.ts.

interface Product {
  sku: string;
  name: string;
}

interface Stock {
  sku: string;
  qty: number;
}

interface Order {
  id: string;
  sku: string;
  qty: number;
}

const key = { type: 'varchar', length: 64, primary: true } as const;

const products = new EntitySchema<Product>({
  name: 'product',
  columns: { sku: key, name: { type: 'varchar', length: 200 } },
});

const stocks = new EntitySchema<Stock>({ name: 'stock', columns: { sku: key, qty: { type: 'int' } } });

const orders = new EntitySchema<Order>({
  name: 'orders',
  columns: { id: key, sku: { type: 'varchar', length: 64 }, qty: { type: 'int' } },
});

/** For the `entities` of the DataSource. */
export const entities = [products, stocks, orders];

export class Orders {
  readonly #source: DataSource;

  constructor(source: DataSource) {
    this.#source = source;
  }

  async createTables(): Promise<void> {
    await this.#source.synchronize();
  }

  async offer(sku: string, name: string, qty: number): Promise<void> {
    await this.#source.transaction(async (manager) => {
      await manager.insert(products, { sku, name });
      await manager.insert(stocks, { sku, qty });
    });
  }

  /** From a replica, as TypeORM does with what it selects outside of transactions: the catalogue may be a moment old. */
  async catalogue(): Promise<readonly string[]> {
    const found = await this.#source.getRepository(products).find({ order: { name: 'ASC' } });
    return found.map(({ name }) => name);
  }

  /** Of this moment: on the primary. */
  async left(sku: string): Promise<number> {
    const runner = this.#source.createQueryRunner('master');
    try {
      const stock = await runner.manager.findOneBy(stocks, { sku });
      return stock?.qty ?? 0;
    } finally {
      await runner.release();
    }
  }

  /**
   * Sells the pieces once, however often it is called with one id, and resolves to whether there were enough. The check and
   * the sale are one statement. The id comes from the client: after any error it calls again.
   */
  async place(id: string, sku: string, qty: number): Promise<boolean> {
    try {
      return await this.#source.transaction(async (manager) => {
        await manager.insert(orders, { id, sku, qty });
        const { affected } = await manager.decrement(stocks, { sku, qty: MoreThanOrEqual(qty) }, 'qty', qty);
        if (affected === 0) throw new SoldOut();
        return true;
      });
    } catch (error) {
      if (error instanceof SoldOut) return false;
      // It had been placed before.
      if (error instanceof QueryFailedError && error.driverError.code === 'ER_DUP_ENTRY') return true;
      throw error;
    }
  }

  /** Leaves the cluster open. */
  async close(): Promise<void> {
    await this.#source.destroy();
  }
}

class SoldOut extends Error {}
