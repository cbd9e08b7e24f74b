import {
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  literal,
  Model,
  Op,
  type Sequelize,
  UniqueConstraintError,
} from 'sequelize';

// Orders on Sequelize 6. Nothing here knows of vipsql: it is given a Sequelize whose `dialectModule` is `mysql2For(db)`,
// with `replication` to a `read` host named 'replica'. See test/integration/examples/sequelize.test.ts.

class Product extends Model<InferAttributes<Product>, InferCreationAttributes<Product>> {
  declare sku: string;
  declare name: string;
}

class Stock extends Model<InferAttributes<Stock>, InferCreationAttributes<Stock>> {
  declare sku: string;
  declare qty: number;
}

class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: string;
  declare sku: string;
  declare qty: number;
}

const key = { type: DataTypes.STRING(64), primaryKey: true } as const;
const text = { type: DataTypes.STRING(200), allowNull: false } as const;
const count = { type: DataTypes.INTEGER, allowNull: false } as const;

export class Orders {
  readonly #sequelize: Sequelize;

  constructor(sequelize: Sequelize) {
    this.#sequelize = sequelize;
    const table = (tableName: string) => ({ sequelize, tableName, timestamps: false });
    Product.init({ sku: key, name: text }, table('product'));
    Stock.init({ sku: key, qty: count }, table('stock'));
    Order.init({ id: key, sku: text, qty: count }, table('orders'));
  }

  async createTables(): Promise<void> {
    await this.#sequelize.sync();
  }

  async offer(sku: string, name: string, qty: number): Promise<void> {
    await this.#sequelize.transaction(async (transaction) => {
      await Product.create({ sku, name }, { transaction });
      await Stock.create({ sku, qty }, { transaction });
    });
  }

  /** From a replica, as Sequelize does with what it takes for a read: the catalogue may be a moment old. */
  async catalogue(): Promise<readonly string[]> {
    const products = await Product.findAll({ order: ['name'] });
    return products.map(({ name }) => name);
  }

  /** Of this moment: on the primary. */
  async left(sku: string): Promise<number> {
    const stock = await Stock.findByPk(sku, { useMaster: true });
    return stock?.qty ?? 0;
  }

  /**
   * Sells the pieces once, however often it is called with one id, and resolves to whether there were enough. The check and
   * the sale are one statement. The id comes from the client: after any error it calls again.
   */
  async place(id: string, sku: string, qty: number): Promise<boolean> {
    try {
      return await this.#sequelize.transaction(async (transaction) => {
        await Order.create({ id, sku, qty }, { transaction });
        const [sold] = await Stock.update(
          { qty: literal(`qty - ${this.#sequelize.escape(qty)}`) },
          { where: { sku, qty: { [Op.gte]: qty } }, transaction },
        );
        if (sold === 0) throw new SoldOut();
        return true;
      });
    } catch (error) {
      if (error instanceof SoldOut) return false;
      // It had been placed before.
      if (error instanceof UniqueConstraintError) return true;
      throw error;
    }
  }

  /** Leaves the cluster open. */
  async close(): Promise<void> {
    await this.#sequelize.close();
  }
}

class SoldOut extends Error {}
