import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { createPool, type FacadeOptions } from '../../../src/adapters/mysql2/index.ts';
import {
  type Adapter,
  type AdapterStatements,
  type AdapterTransaction,
  describeAdapter,
  type Item,
} from '../../support/adapter-contract.ts';

const options: FacadeOptions = { supportBigNumbers: true };

describeAdapter('the pool of mysql2', {
  open(db) {
    const core = createPool(db, options);
    const pool = core.promise();
    const onReplicas = createPool(db, { ...options, role: 'replica' }).promise();
    return {
      ...statements(pool),
      transaction: (work) => transaction(pool, work),
      insertTyped: ({ id, big, amount, moment, bytes, words, doc, nothing }) =>
        pool.query(
          'INSERT INTO typed (id, big, amount, moment, bytes, words, doc, nothing) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          [id, big, amount, moment, bytes, words, JSON.stringify(doc), nothing],
        ),
      typed: async (id) => {
        const columns = 'big, amount, moment, bytes, words, doc, nothing';
        const [text] = await pool.query<RowDataPacket[]>(`SELECT ${columns} FROM typed WHERE id = ?`, [id]);
        const [bound] = await pool.execute<RowDataPacket[]>(`SELECT ${columns} FROM typed WHERE id = ?`, [
          id,
        ]);
        if (JSON.stringify(text) !== JSON.stringify(bound)) throw new Error('text and prepared differ');
        return text[0];
      },
      replica: statements(onReplicas),
      items: () => core.query('SELECT id, qty FROM item ORDER BY id').stream() as AsyncIterable<Item>,
      cancellable: (sql, signal) => pool.query({ sql, signal } as { sql: string }),
      async close() {
        await Promise.all([pool.end(), onReplicas.end()]);
      },
    } satisfies Adapter;
  },
  typedAs: ({ id: _, big, ...others }) => ({ ...others, big: String(big) }),
  duplicateCode: 'ER_DUP_ENTRY',
});

async function transaction<T>(pool: Pool, work: (tx: AdapterTransaction) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const result = await work({
      ...statements(connection),
      savepoint: async (part) => {
        await connection.query('SAVEPOINT part');
        try {
          await part(statements(connection));
        } catch (error) {
          await connection.query('ROLLBACK TO SAVEPOINT part');
          throw error;
        }
      },
    });
    await connection.commit();
    return result;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

function statements(on: Pool | PoolConnection): AdapterStatements {
  const changed = async (sql: string, values: unknown[]): Promise<number> =>
    (await on.execute<ResultSetHeader>(sql, values as never))[0].affectedRows;
  return {
    insertItem: ({ id, qty }) => on.query('INSERT INTO item SET ?', { id, qty }),
    item: async (id) => {
      const [rows] = await on.query<RowDataPacket[]>('SELECT id, qty FROM item WHERE id = ?', [id]);
      return rows[0] as Item | undefined;
    },
    updateItem: (id, qty) => changed('UPDATE item SET qty = ? WHERE id = ?', [qty, id]),
    deleteItem: (id) => changed('DELETE FROM item WHERE id = ?', [id]),
    insertLoad: ({ id, part }) => on.execute('INSERT INTO load_row VALUES (?, ?)', [id, part]),
    raw: async (sql) => (await on.query<RowDataPacket[]>(sql))[0],
  };
}
