import { asc, eq, sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  datetime,
  decimal,
  int,
  type MySqlDatabase,
  mysqlTable,
  varchar,
} from 'drizzle-orm/mysql-core';
import type { MySql2Database, MySql2PreparedQueryHKT, MySql2QueryResultHKT } from 'drizzle-orm/mysql2';
import { drizzle, onReplica } from '../../../src/adapters/drizzle/index.ts';
import { type Adapter, type AdapterStatements, describeAdapter } from '../../support/adapter-contract.ts';

const id = varchar({ length: 60 });
const blob = customType<{ data: Buffer }>({ dataType: () => 'blob' });

const item = mysqlTable('item', { id: id.primaryKey(), qty: int().notNull() });
const loadRow = mysqlTable('load_row', { id: varchar({ length: 60 }).notNull(), part: int().notNull() });
const typed = mysqlTable('typed', {
  id: varchar({ length: 60 }).primaryKey(),
  big: bigint({ mode: 'bigint' }),
  amount: decimal({ precision: 20, scale: 2 }),
  moment: datetime({ fsp: 3 }),
  bytes: blob(),
  words: varchar({ length: 60 }),
  // On MariaDB a JSON column is one of text.
  doc: customType<{ data: object; driverData: unknown }>({
    dataType: () => 'json',
    toDriver: JSON.stringify,
    fromDriver: (value) => (typeof value === 'string' ? JSON.parse(value) : value),
  })(),
  nothing: int(),
});

/** A database, or a transaction. */
type Queries = MySqlDatabase<MySql2QueryResultHKT, MySql2PreparedQueryHKT>;

describeAdapter('Drizzle', {
  open: (db) => adapterOf(drizzle(db)),
  typedAs: ({ id: _, ...others }) => others,
});

function adapterOf(database: MySql2Database): Adapter {
  return {
    ...statementsOn(database),
    transaction: (work) =>
      database.transaction((tx) =>
        work({
          ...statementsOn(tx),
          savepoint: (part) => tx.transaction((inner) => part(statementsOn(inner))),
        }),
      ),
    insertTyped: (values) => database.insert(typed).values(values),
    typed: async (wanted) => {
      const [row] = await database.select().from(typed).where(eq(typed.id, wanted));
      const { id: _, ...others } = row ?? {};
      return others;
    },
    replica: statementsOn(onReplica(database)),
    items: () => database.select().from(item).orderBy(asc(item.id)).iterator(),
    close: async () => {},
  };
}

function statementsOn(queries: Queries): AdapterStatements {
  return {
    insertItem: (row) => queries.insert(item).values(row).execute(),
    item: async (wanted) => (await queries.select().from(item).where(eq(item.id, wanted)))[0],
    updateItem: async (wanted, qty) => {
      const [{ affectedRows }] = await queries.update(item).set({ qty }).where(eq(item.id, wanted));
      return affectedRows;
    },
    deleteItem: async (wanted) => (await queries.delete(item).where(eq(item.id, wanted)))[0].affectedRows,
    insertLoad: (row) => queries.insert(loadRow).values(row).execute(),
    raw: async (text) => (await queries.execute(sql.raw(text)))[0] as never,
  };
}
