import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Cluster,
  ConfigError,
  DuplicateKeyError,
  ExactlyOnceError,
  LockTimeoutError,
  OutsideTransactionError,
} from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { openCluster, recordEvents, rejection, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('exactly once on %s', (vendor) => {
  let lab: Lab;
  let db: Cluster;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY, n INT NOT NULL)');
  });

  afterAll(() => lab?.stop());

  beforeEach(async () => {
    db = openCluster(lab, { sessionVariables: { innodb_lock_wait_timeout: 2 } });
    await db.createLedger();
    await lab.owner().query('DELETE FROM lab.t');
    await lab.owner().query('DELETE FROM lab.vipsql_commit');
  });

  const ids = async (): Promise<number[]> =>
    (await lab.owner().query<{ id: number }>('SELECT id FROM lab.t ORDER BY id')).map(({ id }) => id);
  const ledgerRows = () =>
    lab
      .owner()
      .query<{ key: string; committed: number; result: string | null }>(
        'SELECT CONVERT(id USING latin1) AS `key`, committed, result FROM lab.vipsql_commit ORDER BY created_at',
      );

  describe('with true', () => {
    test('commits with one row in the ledger, and gives what the closure gave', async () => {
      const now = new Date();
      const result = await db.transaction(
        async (tx) => {
          await tx.execute('INSERT INTO t VALUES (1, 1)');
          return { now };
        },
        { exactlyOnce: true },
      );
      expect(result).toEqual({ now });
      expect(await ids()).toEqual([1]);
      expect(await ledgerRows()).toMatchObject([{ committed: 1, result: null }]);
    });

    test('leaves no row of what was rolled back', async () => {
      const mine = new Error('mine');
      const error = await rejection(
        db.transaction(
          async (tx) => {
            await tx.execute('INSERT INTO t VALUES (1, 1)');
            throw mine;
          },
          { exactlyOnce: true },
        ),
      );
      expect(error).toBe(mine);
      expect(await ids()).toEqual([]);
      expect(await ledgerRows()).toEqual([]);
    });

    test('runs again after a deadlock, with one row in the end', async () => {
      const retries = recordEvents(db, 'operation:retry');
      await db.primary().execute('INSERT INTO t VALUES (1, 0), (2, 0)');
      const both = (first: number, second: number) =>
        db.transaction(
          async (tx) => {
            await tx.execute('UPDATE t SET n = n + 1 WHERE id = ?', [first]);
            await sleep(150);
            await tx.execute('UPDATE t SET n = n + 1 WHERE id = ?', [second]);
          },
          { exactlyOnce: true },
        );
      await Promise.all([both(1, 2), both(2, 1)]);
      expect(await lab.owner().query('SELECT n FROM lab.t')).toEqual([{ n: 2 }, { n: 2 }]);
      expect(retries).toHaveLength(1);
      expect(await ledgerRows()).toHaveLength(2);
    });

    test('goes with savepoints and with errors that the closure has caught', async () => {
      await db.transaction(
        async (tx) => {
          await tx.execute('INSERT INTO t VALUES (1, 1)');
          await rejection(
            tx.savepoint(async (part) => {
              await part.execute('INSERT INTO t VALUES (2, 2)');
              throw new Error('undo');
            }),
          );
          expect(await rejection(tx.execute('INSERT INTO t VALUES (1, 1)'))).toBeInstanceOf(
            DuplicateKeyError,
          );
        },
        { exactlyOnce: true },
      );
      expect(await ids()).toEqual([1]);
      expect(await ledgerRows()).toHaveLength(1);
    });

    test('commits nothing after a failure that the closure has swallowed', async () => {
      await db.primary().execute('INSERT INTO t VALUES (1, 0)');
      await db.primary().connection(async (blocker) => {
        await blocker.query('BEGIN');
        await blocker.query('UPDATE t SET n = 1 WHERE id = 1');
        const error = await rejection(
          db.transaction(
            async (tx) => {
              await tx.execute('INSERT INTO t VALUES (2, 2)');
              await tx.execute('UPDATE t SET n = 99 WHERE id = 1').catch(() => {});
            },
            { exactlyOnce: true, retry: false },
          ),
        );
        expect(error).toBeInstanceOf(LockTimeoutError);
        await blocker.query('ROLLBACK');
      });
      expect(await ids()).toEqual([1]);
      expect(await ledgerRows()).toEqual([]);
    });

    test('does not mind which schema the closure has gone to', async () => {
      await db.transaction(
        async (tx) => {
          await tx.query('USE information_schema');
          await tx.execute('INSERT INTO lab.t VALUES (1, 1)');
        },
        { exactlyOnce: true },
      );
      expect(await ledgerRows()).toHaveLength(1);
    });

    test('is refused for a transaction that is read-only', async () => {
      const error = await rejection(
        db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true, readOnly: true }),
      );
      expect(error).toBeInstanceOf(ConfigError);
    });
  });

  describe('with a key', () => {
    const place = (key: string, id: number, cluster = db) =>
      cluster.transaction(
        async (tx) => {
          await tx.execute('INSERT INTO t VALUES (?, 1)', [id]);
          return { id, lines: [await tx.one('SELECT 1 AS one')] };
        },
        { exactlyOnce: { key } },
      );

    test('does it once, and gives a repeat the first result without running the closure', async () => {
      const first = { id: 1, lines: [{ one: 1 }] };
      expect(await place('order-1', 1)).toEqual({ done: false, result: first });
      let ran = false;
      const repeat = await db.transaction(
        async () => {
          ran = true;
        },
        { exactlyOnce: { key: 'order-1' } },
      );
      expect(repeat).toEqual({ done: true, result: first });
      expect(ran).toBe(false);
      expect(await ids()).toEqual([1]);
      expect(await ledgerRows()).toEqual([
        { key: 'key:order-1', committed: 1, result: JSON.stringify(first) },
      ]);
    });

    test('gives a repeat from another process the first result too', async () => {
      const other = openCluster(lab);
      await place('order-2', 2);
      expect(await place('order-2', 3, other)).toMatchObject({ done: true, result: { id: 2 } });
      expect(await ids()).toEqual([2]);
    });

    test('lets concurrent requests with one key wait for the first', async () => {
      const other = openCluster(lab);
      const deadlocks = recordEvents(db, 'operation:retry');
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          (i % 2 === 0 ? db : other).transaction(
            async (tx) => {
              await tx.execute('INSERT INTO t VALUES (?, 1)', [i]);
              await sleep(100);
              return i;
            },
            { exactlyOnce: { key: 'same' } },
          ),
        ),
      );
      expect(results.filter(({ done }) => !done)).toHaveLength(1);
      expect(new Set(results.map(({ result }) => result)).size).toBe(1);
      expect(await ids()).toHaveLength(1);
      expect(deadlocks).toEqual([]);
    });

    test('lets the next one try when the first has failed', async () => {
      const failing = rejection(
        db.transaction(
          async (tx) => {
            await tx.execute('INSERT INTO t VALUES (1, 1)');
            await sleep(200);
            throw new Error('no stock');
          },
          { exactlyOnce: { key: 'retry-me' } },
        ),
      );
      await sleep(50);
      expect(await place('retry-me', 2)).toMatchObject({ done: false });
      expect(await failing).toMatchObject({ message: 'no stock' });
      expect(await ids()).toEqual([2]);
    });

    test('tells keys apart that differ by a space, by case or by an accent', async () => {
      const keys = ['k', 'k ', 'K', 'ḱ'];
      for (const [index, key] of keys.entries()) {
        expect(await place(key, index), key).toMatchObject({ done: false });
      }
      for (const [index, key] of keys.entries()) {
        expect(await place(key, 9), key).toMatchObject({ done: true, result: { id: index } });
      }
    });

    test('takes keys of up to 200 bytes and no others', async () => {
      expect(await place('ü'.repeat(100), 1)).toMatchObject({ done: false });
      for (const key of ['', 'x'.repeat(201), 'ü'.repeat(101)]) {
        expect(await rejection(place(key, 2)), key).toBeInstanceOf(ConfigError);
      }
    });

    test('rolls back when the result cannot be kept for a repeat', async () => {
      const error = await rejection(
        db.transaction(
          async (tx) => {
            await tx.execute('INSERT INTO t VALUES (1, 1)');
            return { at: new Date() };
          },
          { exactlyOnce: { key: 'dated' } },
        ),
      );
      expect(error).toBeInstanceOf(ExactlyOnceError);
      expect(error).toMatchObject({ problem: 'result', outcome: 'rolled-back' });
      expect(String(error)).toContain('a Date at result.at');
      expect(await ids()).toEqual([]);
      expect(await ledgerRows()).toEqual([]);
    });

    test('gives back texts of every kind', async () => {
      const result = { text: `quotes ' " \` \\ and 𝒰nicode\u2028\ud800`, list: [null, true, 1.5] };
      const options = { exactlyOnce: { key: 'texts' } };
      await db.transaction(async () => result, options);
      expect(await db.transaction(async () => result, options)).toEqual({ done: true, result });
    });
  });

  test('is refused inside another transaction, as every handle is', async () => {
    await db.transaction(async () => {
      expect(await rejection(db.createLedger())).toBeInstanceOf(OutsideTransactionError);
    });
  });
});
