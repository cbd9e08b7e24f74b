import type { Readable } from 'node:stream';
import { type DataSource, type EntityManager, EntitySchema } from 'typeorm';
import {
  type Adapter,
  type AdapterStatements,
  type AdapterTransaction,
  describeAdapter,
  type Item,
  type TypedValues,
} from '../../support/adapter-contract.ts';
import { openTypeorm } from './open-typeorm.ts';

const itemSchema = new EntitySchema<Item>({
  name: 'item',
  columns: { id: { type: 'varchar', primary: true }, qty: { type: 'int' } },
});

const typedSchema = new EntitySchema<Omit<TypedValues, 'big'> & { readonly big: string }>({
  name: 'typed',
  columns: {
    id: { type: 'varchar', primary: true },
    big: { type: 'bigint' },
    amount: { type: 'decimal', precision: 20, scale: 2 },
    moment: { type: 'datetime', precision: 3 },
    bytes: { type: 'blob' },
    words: { type: 'varchar' },
    doc: { type: 'json' },
    nothing: { type: 'int', nullable: true },
  },
});

const options = { entities: [itemSchema, typedSchema], bigNumberStrings: false };

describeAdapter('TypeORM', {
  async open(db) {
    return adapterOf(await openTypeorm(db, options), await openTypeorm(db, { ...options, host: 'replica' }));
  },
  typedAs: ({ id: _, big, ...others }) => ({ ...others, big: String(big) }),
  duplicateCode: 'ER_DUP_ENTRY',
});

function adapterOf(source: DataSource, onReplicas: DataSource): Adapter {
  return {
    ...statements(source.manager),
    transaction: (work) => source.transaction((manager) => work(inTransaction(manager))),
    insertTyped: ({ big, ...others }) =>
      source.manager.insert(typedSchema, { ...others, big: String(big) } as never),
    typed: async (id) => {
      const found = await source.manager.findOneBy(typedSchema, { id });
      const { id: _, ...others } = found ?? { id };
      return others;
    },
    replica: statements(onReplicas.manager),
    items: () => rowsOf(source),
    async close() {
      await Promise.all([source.destroy(), onReplicas.destroy()]);
    },
  };
}

async function* rowsOf(source: DataSource): AsyncGenerator<Item> {
  const runner = source.createQueryRunner();
  try {
    yield* (await runner.stream('SELECT id, qty FROM item ORDER BY id')) as Readable as AsyncIterable<Item>;
  } finally {
    await runner.release();
  }
}

function inTransaction(manager: EntityManager): AdapterTransaction {
  return {
    ...statements(manager),
    savepoint: (part) => manager.transaction((inner) => part(statements(inner))),
  };
}

function statements(manager: EntityManager): AdapterStatements {
  return {
    insertItem: (item) => manager.insert(itemSchema, item),
    item: async (id) => (await manager.findOneBy(itemSchema, { id })) ?? undefined,
    updateItem: async (id, qty) => (await manager.update(itemSchema, { id }, { qty })).affected ?? 0,
    deleteItem: async (id) => (await manager.delete(itemSchema, { id })).affected ?? 0,
    insertLoad: (row) => manager.query('INSERT INTO load_row VALUES (?, ?)', [row.id, row.part]),
    raw: (sql) => manager.query(sql),
  };
}
