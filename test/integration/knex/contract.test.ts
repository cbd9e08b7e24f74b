import type { Knex } from 'knex';
import {
  type Adapter,
  type AdapterStatements,
  type AdapterTransaction,
  describeAdapter,
  type Item,
} from '../../support/adapter-contract.ts';
import { openKnex } from './knex-lab.ts';

describeAdapter('Knex', {
  open(db, { poolMax, acquireMs }) {
    const settings = {
      pool: { min: 0, max: poolMax },
      acquireConnectionTimeout: acquireMs,
      connection: { supportBigNumbers: true },
      // It tells of each connection that could not be had.
      log: { warn() {} },
    };
    const knex = openKnex(db, settings);
    const onReplicas = openKnex(db, settings, { target: 'replica' });
    return adapterOf(knex, onReplicas);
  },
  typedAs: ({ id: _, big, ...others }) => ({ ...others, big: String(big) }),
  duplicateCode: 'ER_DUP_ENTRY',
  isExhausted: (error) => error instanceof Error && error.name === 'KnexTimeoutError',
});

function adapterOf(knex: Knex, onReplicas: Knex): Adapter {
  return {
    ...statements(knex),
    transaction: (work) => knex.transaction((trx) => work(inTransaction(trx))),
    insertTyped: ({ big, doc, ...others }) =>
      knex('typed').insert({ ...others, big: String(big), doc: JSON.stringify(doc) }),
    typed: (id) =>
      knex('typed').where({ id }).first('big', 'amount', 'moment', 'bytes', 'words', 'doc', 'nothing'),
    replica: statements(onReplicas),
    items: () => knex('item').orderBy('id').stream() as AsyncIterable<Item>,
    async close() {
      await Promise.all([knex.destroy(), onReplicas.destroy()]);
    },
  };
}

function inTransaction(trx: Knex.Transaction): AdapterTransaction {
  return {
    ...statements(trx),
    savepoint: (part) => trx.transaction((inner) => part(statements(inner))),
  };
}

function statements(knex: Knex): AdapterStatements {
  return {
    insertItem: (item) => knex('item').insert(item).then(),
    item: (id) => knex<Item>('item').where({ id }).first().then(),
    updateItem: (id, qty) => knex('item').where({ id }).update({ qty }).then(),
    deleteItem: (id) => knex('item').where({ id }).delete().then(),
    insertLoad: (row) => knex('load_row').insert(row).then(),
    raw: async (sql) => (await knex.raw(sql))[0],
  };
}
