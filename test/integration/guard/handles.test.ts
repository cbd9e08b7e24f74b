import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  InDoubtError,
  PrimaryRequiredError,
  ReplicaReadOnlyError,
  SessionStateError,
} from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('the guard on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({
      vendor,
      replicas: 1,
      redis: false,
      serverOptions: ['--log-bin-trust-function-creators=1'],
    });
    for (const statement of [
      'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
      'CREATE TABLE lab.item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40))',
      'INSERT INTO lab.stock VALUES (1, 5)',
      "INSERT INTO lab.item (name) VALUES ('one'), ('two')",
      'CREATE FUNCTION lab.sell() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE lab.stock SET qty = qty - 1; RETURN 1; END',
    ]) {
      await lab.owner().query(statement);
    }
    await lab.heal();
  });

  beforeEach(() => lab.heal());
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  describe('a replica handle', () => {
    const effects = [
      ['SELECT * FROM item FOR UPDATE', 'FOR UPDATE locks'],
      ['SELECT sell()', 'sell() is not a function that is known to be built in'],
      ['WITH x AS (SELECT 1 AS id) DELETE FROM item WHERE id IN (SELECT id FROM x)', 'DELETE may write'],
      ["SELECT GET_LOCK('a', 0)", 'GET_LOCK() takes or gives back a lock'],
      ['SELECT @a := 1', 'sets a user variable'],
      ['SELECT LAST_INSERT_ID()', 'LAST_INSERT_ID() is about the statements before'],
      ['SELECT 1 /*!99999 INTO @a */', 'sets a user variable'],
      ['SET @a = 1', 'SET changes the state'],
      ['gibberish', 'GIBBERISH is not known to be a read'],
    ] as const;

    test.each(effects)(
      'refuses %j before anything is sent, and says why and what to use',
      async (text, why) => {
        const db = openCluster(lab);
        const error = await rejection(db.replica().query(text as string));
        expect(error).toBeInstanceOf(ReplicaReadOnlyError);
        expect(error).toMatchObject({ outcome: 'not-executed', server: undefined });
        expect((error as Error).message).toContain(why);
        expect((error as Error).message).toContain('db.primary()');
        const stream = async (): Promise<void> => {
          for await (const _ of db.replica().stream(text as string)) expect.unreachable();
        };
        expect(await rejection(stream())).toBeInstanceOf(ReplicaReadOnlyError);
        const snapshot = db.replica().snapshot((reads) => reads.query(text as string));
        expect(await rejection(snapshot)).toBeInstanceOf(ReplicaReadOnlyError);
      },
    );

    test('names the primaryOnly table first', async () => {
      const db = openCluster(lab, { primaryOnly: ['stock'] });
      const error = await rejection(db.replica().query('SELECT qty FROM stock FOR UPDATE'));
      expect(error).toBeInstanceOf(PrimaryRequiredError);
    });

    test('still answers what is about the server that is asked', async () => {
      const db = openCluster(lab);
      expect(await db.replica().value('SELECT @@global.read_only')).toBe(1);
      expect(await db.replica().value('SELECT @nothing')).toBeNull();
      expect(await db.replica().value('SELECT SLEEP(0)')).toBe(0);
      expect(await db.replica().query("SHOW VARIABLES LIKE 'server_id'")).toHaveLength(1);
    });
  });

  describe('a primary handle', () => {
    test('refuses what only makes sense on one connection', async () => {
      const db = openCluster(lab, { pool: { max: 1, min: 0 } });
      for (const text of [
        'SET @a = 1',
        'SELECT @a := 1',
        "SELECT GET_LOCK('a', 0)",
        'SELECT LAST_INSERT_ID()',
        'INSERT INTO item (id) VALUES (LAST_INSERT_ID())',
        'CREATE TEMPORARY TABLE t (a INT)',
        "PREPARE p FROM 'SELECT 1'",
      ]) {
        const error = await rejection(db.primary().query(text));
        expect(error, text).toBeInstanceOf(SessionStateError);
        expect((error as Error).message).toContain('db.primary().connection(');
      }
      expect(await db.primary().value('SELECT @a')).toBeNull();
    });

    test('leaves nothing of a transaction to the next user of its connection', async () => {
      const db = openCluster(lab, { pool: { max: 1, min: 0 } });
      await db.transaction(async (tx) => {
        await tx.query('SELECT @left := 7');
        await tx.execute('CREATE TEMPORARY TABLE left_over (a INT)');
        await tx.query("SELECT GET_LOCK('left', 0)");
        expect(await tx.value('SELECT @left')).toBe(7);
      });
      expect(await db.primary().value('SELECT @left')).toBeNull();
      expect(await db.primary().value("SELECT IS_USED_LOCK('left')")).toBeNull();
      expect(await rejection(db.primary().query('SELECT * FROM left_over'))).toMatchObject({ errno: 1146 });
    });

    test('keeps the connection of a transaction that only asked for its last id', async () => {
      const db = openCluster(lab, { pool: { max: 1, min: 0 } });
      const id = await db.transaction(async (tx) => {
        const { insertId } = await tx.execute("INSERT INTO item (name) VALUES ('new')");
        expect(Number(await tx.value('SELECT LAST_INSERT_ID()'))).toBe(insertId);
        return await tx.value('SELECT CONNECTION_ID()');
      });
      expect(await db.primary().value('SELECT CONNECTION_ID()')).toBe(id);
    });

    test('reads again what its lost line left unanswered, and nothing that may write', async () => {
      const db = openCluster(lab);
      const retries = recordEvents(db, 'operation:retry');
      await db.ready();
      const rows = 'SELECT COUNT(*) AS n FROM information_schema.columns a, information_schema.columns b';
      const slowRead = `${rows}, information_schema.columns c WHERE a.column_name < b.column_name`;
      const running = async (): Promise<number[]> => {
        const found = await lab
          .owner()
          .query<{ id: number }>(
            "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT COUNT(*) AS n FROM%' OR info LIKE 'SELECT sell()%'",
          );
        return found.map(({ id }) => id);
      };
      const killRunning = async (): Promise<boolean> => {
        const ids = await running();
        for (const id of ids) {
          await lab
            .owner()
            .query(`KILL ${id}`)
            .catch(() => {});
        }
        return ids.length > 0;
      };
      const abort = new AbortController();
      const read = rejection(db.primary().query(slowRead, [], { signal: abort.signal }));
      await eventually('the read', killRunning);
      await eventually('its second try', () => retries.length === 1);
      abort.abort();
      expect(await read).toMatchObject({ code: 'VIPSQL_ABORTED' });

      const write = rejection(db.primary().query('SELECT sell() + SLEEP(20)', [], { timeoutMs: 8_000 }));
      await eventually('the write', killRunning);
      expect(await write).toBeInstanceOf(InDoubtError);
    });
  });
});
