import { type ControlledTransaction, Kysely, sql } from 'kysely';
import { onReplica, VipsqlDialect } from '../../../src/adapters/kysely/index.ts';
import {
  type Adapter,
  type AdapterStatements,
  type AdapterTransaction,
  describeAdapter,
} from '../../support/adapter-contract.ts';

interface Database {
  item: { id: string; qty: number };
  load_row: { id: string; part: number };
  typed: {
    id: string;
    big: bigint;
    amount: string;
    moment: Date;
    bytes: Buffer;
    words: string;
    doc: string;
    nothing: null;
  };
}

describeAdapter('Kysely', {
  open: (db) => adapterOf(new Kysely<Database>({ dialect: new VipsqlDialect(db) })),
  typedAs: ({ id: _, ...others }) => others,
});

function adapterOf(kysely: Kysely<Database>): Adapter {
  return {
    ...statementsOn(kysely),
    transaction: (work) => inTransaction(kysely, work),
    insertTyped: ({ doc, ...others }) =>
      kysely
        .insertInto('typed')
        .values({ ...others, doc: JSON.stringify(doc) })
        .execute(),
    typed: async (id) => {
      const row = await kysely
        .selectFrom('typed')
        .select(['big', 'amount', 'moment', 'bytes', 'words', 'nothing'])
        // On MariaDB a JSON column is one of text.
        .select(sql<string>`CAST(doc AS CHAR)`.as('doc'))
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return { ...row, doc: JSON.parse(row.doc) };
    },
    replica: statementsOn(kysely.withPlugin(onReplica())),
    items: () => kysely.selectFrom('item').selectAll().orderBy('id').stream(10),
    cancellable: (text, signal) =>
      sql.raw(text).execute(kysely, { signal, inflightQueryAbortStrategy: 'cancel query' }),
    close: () => kysely.destroy(),
  };
}

/** A controlled transaction: only these have savepoints. */
async function inTransaction<T>(
  kysely: Kysely<Database>,
  work: (tx: AdapterTransaction) => Promise<T>,
): Promise<T> {
  const trx = await kysely.startTransaction().execute();
  try {
    const result = await work({ ...statementsOn(trx), savepoint: (part) => savepoint(trx, part) });
    await trx.commit().execute();
    return result;
  } catch (error) {
    if (!trx.isCommitted && !trx.isRolledBack) await trx.rollback().execute();
    throw error;
  }
}

async function savepoint(
  trx: ControlledTransaction<Database>,
  part: (tx: AdapterStatements) => Promise<void>,
): Promise<void> {
  const inner = await trx.savepoint('a part').execute();
  try {
    await part(statementsOn(inner));
  } catch (error) {
    await inner.rollbackToSavepoint('a part').execute();
    throw error;
  }
  await inner.releaseSavepoint('a part').execute();
}

function statementsOn(kysely: Kysely<Database>): AdapterStatements {
  return {
    insertItem: (item) => kysely.insertInto('item').values(item).execute(),
    item: (id) => kysely.selectFrom('item').selectAll().where('id', '=', id).executeTakeFirst(),
    updateItem: async (id, qty) => {
      const result = await kysely.updateTable('item').set({ qty }).where('id', '=', id).executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
    deleteItem: async (id) => {
      const result = await kysely.deleteFrom('item').where('id', '=', id).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    insertLoad: (row) => kysely.insertInto('load_row').values(row).execute(),
    raw: async (text) => (await sql.raw<Record<string, unknown>>(text).execute(kysely)).rows,
  };
}
