import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type Cluster,
  ConfigError,
  createCluster,
  DuplicateKeyError,
  ImplicitCommitError,
  ParameterError,
  PrimaryRequiredError,
  ReplicaReadOnlyError,
  RowCountError,
  RowSchemaError,
  SqlError,
  sql,
  TransactionClosedError,
  UnsafeEscapingError,
} from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

interface Item {
  id: number;
  name: string;
}

describe.each(labVendors)('handles on %s', (vendor) => {
  let lab: Lab;
  let db: Cluster;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
    const admin = lab.owner();
    await admin.query(
      'CREATE TABLE lab.item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) NOT NULL UNIQUE)',
    );
    await admin.query('CREATE TABLE lab.stock (sku VARCHAR(10) PRIMARY KEY, qty INT NOT NULL)');
    await admin.query('CREATE PROCEDURE lab.two_sets(IN n INT) BEGIN SELECT n AS a; SELECT n + 1 AS b; END');
    await lab.heal();
    db = createCluster({ ...lab.config(), primaryOnly: ['stock'] });
    await db.ready();
  });

  afterAll(async () => {
    await db?.close();
    await lab?.stop();
  });

  beforeEach(async () => {
    await db.primary().execute('DELETE FROM item');
    await db.primary().execute("INSERT INTO item (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    await lab.heal();
  });

  describe('reading', () => {
    test('query gives plain rows, and none for a statement without rows', async () => {
      const rows = await db.primary<Item>().query('SELECT id, name FROM item ORDER BY id');
      expect(rows).toEqual([
        { id: 1, name: 'one' },
        { id: 2, name: 'two' },
        { id: 3, name: 'three' },
      ]);
      expect(await db.primary().query("UPDATE item SET name = 'uno' WHERE id = 1")).toEqual([]);
    });

    test('binds positional and named parameters, lists, and fragments of the sql tag', async () => {
      const handle = db.primary<Item>();
      expect(await handle.value('SELECT name FROM item WHERE id = ?', [2])).toBe('two');
      expect(await handle.value('SELECT name FROM item WHERE id = :id', { id: 3 })).toBe('three');
      expect(await handle.query('SELECT id FROM item WHERE id IN (?) ORDER BY id', [[1, 3]])).toEqual([
        { id: 1 },
        { id: 3 },
      ]);
      const rows = sql.values([
        [10, 'ten'],
        [11, "el'even\\"],
      ]);
      await handle.execute(sql`INSERT INTO ${sql.id('item')} (id, name) VALUES ${rows}`);
      expect(await handle.value(sql`SELECT name FROM item WHERE id = ${11}`)).toBe("el'even\\");
    });

    test('prepared statements give the same as text', async () => {
      const text = await db.primary().query('SELECT id, name FROM item WHERE id > ? LIMIT ?', [0, 2]);
      const prepared = await db
        .primary({ prepare: true })
        .query('SELECT id, name FROM item WHERE id > ? LIMIT ?', [0, 2]);
      expect(prepared).toEqual(text);
    });

    test('one, maybeOne and value say what they found instead', async () => {
      const handle = db.primary<Item>();
      expect(await handle.one('SELECT * FROM item WHERE id = 1')).toEqual({ id: 1, name: 'one' });
      expect(await handle.maybeOne('SELECT * FROM item WHERE id = 99')).toBeUndefined();
      expect(await rejection(handle.one('SELECT * FROM item WHERE id = 99'))).toMatchObject({ rowCount: 0 });
      expect(await rejection(handle.maybeOne('SELECT * FROM item'))).toBeInstanceOf(RowCountError);
      expect(await rejection(handle.value('SELECT id, name FROM item WHERE id = 1'))).toBeInstanceOf(
        RowCountError,
      );
    });

    test('a zod schema checks and converts rows', async () => {
      const schema = z.object({ id: z.number(), name: z.string().transform((name) => name.toUpperCase()) });
      const rows = await db.primary().query('SELECT id, name FROM item WHERE id = 1', [], { schema });
      expect(rows).toEqual([{ id: 1, name: 'ONE' }]);
      const wrong = z.object({ id: z.string() });
      const error = await rejection(db.primary().query('SELECT id FROM item', [], { schema: wrong }));
      expect(error).toBeInstanceOf(RowSchemaError);
      expect(error).toMatchObject({ rowIndex: 0, path: 'id' });
    });

    test('queryWithInfo names fields, server and epoch', async () => {
      const info = await db.primary().queryWithInfo('SELECT id, name AS label FROM item WHERE id = 1');
      expect(info.fields.map(({ name }) => name)).toEqual(['id', 'label']);
      expect(info).toMatchObject({ epoch: 1, rows: [{ id: 1, label: 'one' }] });
      expect(info.server).toContain(lab.vip.host);
    });
  });

  describe('writing', () => {
    test('execute tells rows, ids and the epoch', async () => {
      const result = await db.primary().execute("INSERT INTO item (name) VALUES ('new')");
      expect(result).toMatchObject({ affectedRows: 1, epoch: 1 });
      expect(result.insertId).toBeGreaterThan(0);
      expect(result.insertIdBig).toBe(BigInt(result.insertId));
      const update = await db.primary().execute("UPDATE item SET name = 'one' WHERE id = 1");
      expect(update).toMatchObject({ affectedRows: 1, changedRows: 0 });
    });

    test('a violated unique key is a DuplicateKeyError with the server facts', async () => {
      const error = await rejection(db.primary().execute("INSERT INTO item (name) VALUES ('one')"));
      expect(error).toBeInstanceOf(DuplicateKeyError);
      expect(error).toMatchObject({ errno: 1062, sqlState: '23000', outcome: 'statement-rolled-back' });
    });

    test('call gives the sets of a procedure', async () => {
      const { sets } = await db.primary().call('CALL two_sets(?)', [5]);
      expect(sets).toEqual([[{ a: 5 }], [{ b: 6 }]]);
    });

    test('transaction control on a handle is refused', async () => {
      for (const text of [
        'BEGIN',
        'START TRANSACTION',
        'COMMIT',
        'SET autocommit = 0',
        'LOCK TABLES item WRITE',
      ]) {
        expect(await rejection(db.primary().query(text)), text).toBeInstanceOf(ImplicitCommitError);
      }
    });

    test('wrong values are refused before anything is sent', async () => {
      const handle = db.primary();
      for (const params of [[undefined], [{ a: 1 }], [], [1, 2], [Number.NaN]]) {
        const error = await rejection(handle.query('SELECT ?', params as never));
        expect(error, JSON.stringify(params)).toBeInstanceOf(ParameterError);
      }
    });

    test('an error of the server leaves the connection in use', async () => {
      const before = db.status().primary.open;
      for (let i = 0; i < 20; i += 1) {
        expect(await rejection(db.primary().query('SELECT nothing FROM nowhere'))).toBeInstanceOf(SqlError);
      }
      expect(db.status().primary.open).toBe(before);
    });

    test('strings in a session with NO_BACKSLASH_ESCAPES are refused, prepared ones are not', async () => {
      await db.primary().connection(async (connection) => {
        await connection.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
        const error = await rejection(connection.query('SELECT ? AS s', ["a' OR 1 -- \\"]));
        expect(error).toBeInstanceOf(UnsafeEscapingError);
        expect(await connection.value('SELECT ? AS n', [5])).toBe(5);
        expect(await connection.value('SELECT ? AS s', ["a'b\\"], { prepare: true })).toBe("a'b\\");
      });
    });
  });

  describe('streams', () => {
    test('give every row, decoded, and end', async () => {
      const ids: unknown[] = [];
      for await (const row of db.primary<Item>().stream('SELECT id FROM item ORDER BY id')) ids.push(row.id);
      expect(ids).toEqual([1, 2, 3]);
    });

    const numbers = '(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)';
    const big = `SELECT REPEAT('x', 10000) AS x FROM ${Array.from('abcdefg', (name) => `${numbers} ${name}`).join(', ')}`;

    test('give a connection back for which they waited when the reader left', async () => {
      await using narrow = createCluster({ ...lab.config(), pool: { max: 1 } });
      await narrow.ready();
      const blocking = narrow.primary().query('SELECT SLEEP(0.5)');
      await eventually('it runs', () => narrow.status().primary.inUse === 1);
      const stream = narrow.primary().stream(big);
      stream.once('readable', () => expect.unreachable());
      await eventually('it waits', () => narrow.status().primary.waiting === 1);
      stream.destroy();
      await blocking;
      expect(await narrow.primary().value('SELECT 1', [], { timeoutMs: 2_000 })).toBe(1);
      await eventually('nothing is in use', () => narrow.status().primary.inUse === 0);
    });

    test('hold back the server while the reader is slow, and stop it when the reader leaves', async () => {
      const before = process.memoryUsage().rss;
      let seen = 0;
      for await (const row of db.primary().stream(big)) {
        expect((row.x as string).length).toBe(10_000);
        seen += 1;
        if (seen === 200) {
          await new Promise((resolve) => setTimeout(resolve, 300));
          expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
          break;
        }
      }
      await eventually('the connection to come back', () => db.status().primary.inUse === 0);
      const running =
        "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%REPEAT(%' AND info NOT LIKE '%processlist%'";
      await eventually('its end on the server', async () => (await db.primary().query(running)).length === 0);
    });

    test('reject with the error of the server', async () => {
      const read = async (): Promise<void> => {
        for await (const _ of db.primary().stream('SELECT * FROM nowhere')) expect.unreachable();
      };
      expect(await rejection(read())).toBeInstanceOf(SqlError);
    });
  });

  describe('replica reads', () => {
    test('read what has been replicated, in a session that refuses writes', async () => {
      expect(await db.replica<Item>().query('SELECT name FROM item WHERE id = 1')).toEqual([{ name: 'one' }]);
      const info = await db.replica().queryWithInfo('SELECT 1 AS one');
      expect(info.server).toContain(lab.replicas[0]?.host);
      const error = await rejection(db.replica().query("INSERT INTO item (name) VALUES ('no')" as string));
      expect(error).toBeInstanceOf(ReplicaReadOnlyError);
      expect(error).toMatchObject({ outcome: 'not-executed' });
    });

    test('refuse primaryOnly tables before anything is sent', async () => {
      for (const text of [
        'SELECT qty FROM stock',
        'SELECT s.qty FROM item i JOIN `stock` s ON 1',
        'SELECT * FROM (SELECT * FROM lab.STOCK) x',
      ]) {
        expect(await rejection(db.replica().query(text)), text).toBeInstanceOf(PrimaryRequiredError);
      }
      expect(await db.primary().query('SELECT qty FROM stock')).toEqual([]);
    });

    test('a snapshot sees one moment', async () => {
      const counts = await db.replica().snapshot(async (snapshot) => {
        const first = await snapshot.value('SELECT COUNT(*) FROM item');
        await db.primary().execute("INSERT INTO item (name) VALUES ('later')");
        await lab.heal();
        return [first, await snapshot.value('SELECT COUNT(*) FROM item')];
      });
      expect(counts).toEqual([3, 3]);
      expect(await db.replica().value('SELECT COUNT(*) FROM item')).toBe(4);
    });

    test('stream from the replica', async () => {
      const names: unknown[] = [];
      for await (const { name } of db.replica<Item>().stream('SELECT name FROM item ORDER BY id'))
        names.push(name);
      expect(names).toEqual(['one', 'two', 'three']);
    });
  });

  describe('a lent connection', () => {
    test('keeps its session while it is lent, and loses it afterwards', async () => {
      const id = await db.primary().connection(async (connection) => {
        await connection.query('SET @seen = 42');
        await connection.query('BEGIN');
        await connection.query("INSERT INTO item (name) VALUES ('unfinished')");
        expect(await connection.value('SELECT @seen')).toBe(42);
        return connection.id;
      });
      for (let i = 0; i < 10; i += 1) {
        const row = await db.primary().one('SELECT CONNECTION_ID() AS id, @seen AS seen, @@time_zone AS tz');
        expect(row).toMatchObject({ seen: null, tz: '+00:00' });
      }
      expect(id).toBeGreaterThan(0);
      expect(await db.primary().value("SELECT COUNT(*) FROM item WHERE name = 'unfinished'")).toBe(0);
    });

    test('cannot be used after it was given back', async () => {
      const kept = await db.primary().connection(async (connection) => connection);
      expect(await rejection(kept.query('SELECT 1'))).toBeInstanceOf(TransactionClosedError);
    });
  });

  test('unknown call options are refused with a suggestion', async () => {
    const error = await rejection(db.primary().query('SELECT 1', [], { timeout: 5 } as never));
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toContain('timeoutMs');
  });
});
