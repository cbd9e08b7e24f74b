import {
  ConnectionAcquireTimeoutError,
  DataTypes,
  type Model,
  type ModelAttributes,
  type Options,
  QueryTypes,
  type Sequelize,
  type Transaction,
} from 'sequelize';
import {
  type Adapter,
  type AdapterStatements,
  type AdapterTransaction,
  describeAdapter,
  type Item,
  type TypedValues,
} from '../../support/adapter-contract.ts';
import { openSequelize } from './open-sequelize.ts';

describeAdapter('Sequelize', {
  open(db, { poolMax, acquireMs }) {
    const settings: Options = { pool: { max: poolMax, acquire: acquireMs } };
    const sequelize = define(openSequelize(db, settings));
    const onReplicas = define(openSequelize(db, { ...settings, host: 'replica' }));
    return adapterOf(sequelize, onReplicas);
  },
  typedAs: ({ id: _, big, ...others }) => ({ ...others, big: String(big) }),
  duplicateCode: 'ER_DUP_ENTRY',
  countsChanged: true,
  isExhausted: (error) => error instanceof ConnectionAcquireTimeoutError,
  isRolledBack: (error) =>
    error instanceof Error && error.message.endsWith('it has been finished with state: rollback'),
});

function adapterOf(sequelize: Sequelize, onReplicas: Sequelize): Adapter {
  return {
    ...statements(sequelize),
    transaction: (work) =>
      sequelize.transaction((transaction) => work(inTransaction(sequelize, transaction))),
    insertTyped: ({ big, ...others }) => sequelize.model('typed').create({ ...others, big: String(big) }),
    typed: (id) =>
      sequelize.model('typed').findOne({ where: { id }, attributes: { exclude: ['id'] }, raw: true }),
    replica: statements(onReplicas),
    async close() {
      await Promise.all([sequelize.close(), onReplicas.close()]);
    },
  };
}

function inTransaction(sequelize: Sequelize, transaction: Transaction): AdapterTransaction {
  return {
    ...statements(sequelize, transaction),
    savepoint: (part) =>
      sequelize.transaction({ transaction }, (inner) => part(statements(sequelize, inner))),
  };
}

function statements(sequelize: Sequelize, transaction: Transaction | null = null): AdapterStatements {
  const items = sequelize.model('item');
  return {
    insertItem: (item) => items.create({ ...item }, { transaction }),
    item: async (id) => (await items.findByPk(id, { transaction }))?.get() as Item | undefined,
    updateItem: async (id, qty) => (await items.update({ qty }, { where: { id }, transaction }))[0],
    deleteItem: (id) => items.destroy({ where: { id }, transaction }),
    insertLoad: (row) => sequelize.getQueryInterface().bulkInsert('load_row', [row], { transaction }),
    raw: (sql) => sequelize.query(sql, { type: QueryTypes.SELECT, transaction }),
  };
}

function define(sequelize: Sequelize): Sequelize {
  const settings = { freezeTableName: true, timestamps: false };
  const id = { type: DataTypes.STRING, primaryKey: true };
  sequelize.define('item', { id, qty: DataTypes.INTEGER }, settings);
  const typed: ModelAttributes<Model, TypedValues> = {
    id,
    big: DataTypes.BIGINT,
    amount: DataTypes.DECIMAL(20, 2),
    moment: DataTypes.DATE(3),
    bytes: DataTypes.BLOB,
    words: DataTypes.STRING,
    doc: DataTypes.JSON,
    nothing: DataTypes.INTEGER,
  };
  sequelize.define('typed', typed, settings);
  return sequelize;
}
