import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

// Orders written against mysql2's promise pool. Nothing here knows of vipsql: it is given createPool(db).promise() in
// place of a pool of mysql2's. See test/integration/examples/mysql2.test.ts.

export class Orders {
  readonly #pool: Pool;
  readonly #readers: Pool;

  /** `readers` is for reads that may be a moment old. */
  constructor(pool: Pool, readers: Pool) {
    this.#pool = pool;
    this.#readers = readers;
  }

  async createTables(): Promise<void> {
    for (const table of [
      'product (sku VARCHAR(64) PRIMARY KEY, name VARCHAR(200) NOT NULL)',
      'stock (sku VARCHAR(64) PRIMARY KEY, qty INT NOT NULL)',
      'orders (id VARCHAR(64) PRIMARY KEY, sku VARCHAR(64) NOT NULL, qty INT NOT NULL)',
    ]) {
      await this.#pool.query(`CREATE TABLE IF NOT EXISTS ${table}`);
    }
  }

  async offer(sku: string, name: string, qty: number): Promise<void> {
    await this.#pool.execute('INSERT INTO product (sku, name) VALUES (?, ?)', [sku, name]);
    await this.#pool.execute('INSERT INTO stock (sku, qty) VALUES (?, ?)', [sku, qty]);
  }

  async catalogue(): Promise<readonly string[]> {
    const [rows] = await this.#readers.query<RowDataPacket[]>('SELECT name FROM product ORDER BY name');
    return rows.map(({ name }) => name);
  }

  /**
   * Sells the pieces once, however often it is called with one id, and resolves to whether there were enough. The id comes
   * from the client: after any error it calls again.
   */
  async place(id: string, sku: string, qty: number): Promise<boolean> {
    const connection = await this.#pool.getConnection();
    try {
      await connection.beginTransaction();
      await connection.execute('INSERT INTO orders (id, sku, qty) VALUES (?, ?, ?)', [id, sku, qty]);
      const [{ affectedRows }] = await connection.execute<ResultSetHeader>(
        'UPDATE stock SET qty = qty - ? WHERE sku = ? AND qty >= ?',
        [qty, sku, qty],
      );
      if (affectedRows === 0) {
        await connection.rollback();
        return false;
      }
      await connection.commit();
      return true;
    } catch (error) {
      // It had been placed before. What is still open is rolled back when the connection is given back.
      if (error instanceof Error && 'code' in error && error.code === 'ER_DUP_ENTRY') return true;
      throw error;
    } finally {
      connection.release();
    }
  }
}
