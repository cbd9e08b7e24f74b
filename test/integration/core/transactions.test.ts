import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Cluster,
  createCluster,
  DeadlockError,
  DuplicateKeyError,
  ImplicitCommitError,
  LockTimeoutError,
  OutsideTransactionError,
  TimeoutError,
  type Transaction,
  TransactionClosedError,
} from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, rejection, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('transactions on %s', (vendor) => {
  let lab: Lab;
  let db: Cluster;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY, n INT NOT NULL)');
    await lab
      .owner()
      .query('CREATE PROCEDURE lab.sneaky() BEGIN INSERT INTO lab.t VALUES (90, 0); COMMIT; END');
    db = createCluster({ ...lab.config(), sessionVariables: { innodb_lock_wait_timeout: 1 } });
    await db.ready();
  });

  afterAll(async () => {
    await db?.close();
    await lab?.stop();
  });

  beforeEach(async () => {
    await db.primary().execute('DELETE FROM t');
    await db.primary().execute('INSERT INTO t VALUES (1, 0), (2, 0)');
  });

  const rows = () => db.primary().query('SELECT id, n FROM t ORDER BY id');
  const idle = () => eventually('all connections to be back', () => db.status().primary.inUse === 0);

  test('commits what the closure did and gives its result', async () => {
    const result = await db.transaction(async (tx) => {
      await tx.execute('UPDATE t SET n = n + 1 WHERE id = ?', [1]);
      return await tx.value('SELECT n FROM t WHERE id = 1');
    });
    expect(result).toBe(1);
    expect(await rows()).toEqual([
      { id: 1, n: 1 },
      { id: 2, n: 0 },
    ]);
  });

  test('rolls back when the closure throws, and throws the same', async () => {
    const mine = new Error('mine');
    const error = await rejection(
      db.transaction(async (tx) => {
        await tx.execute('DELETE FROM t');
        throw mine;
      }),
    );
    expect(error).toBe(mine);
    expect(await rows()).toHaveLength(2);
    await idle();
  });

  test('runs with the isolation level asked for, and refuses writes when read-only', async () => {
    const level = vendor === 'mysql' ? '@@transaction_isolation' : '@@tx_isolation';
    const isolation = await db.transaction(
      async (tx) => {
        await tx.query('SELECT * FROM t');
        return await tx.value(`SELECT ${level}`);
      },
      { isolation: 'serializable' },
    );
    expect(typeof isolation).toBe('string');
    const error = await rejection(db.transaction((tx) => tx.execute('DELETE FROM t'), { readOnly: true }));
    expect(error).toMatchObject({ errno: 1792 });
    expect(await rows()).toHaveLength(2);
  });

  test('a savepoint undoes its part only', async () => {
    await db.transaction(async (tx) => {
      await tx.execute('UPDATE t SET n = 5 WHERE id = 1');
      await rejection(
        tx.savepoint(async (inner) => {
          await inner.execute('UPDATE t SET n = 6 WHERE id = 2');
          throw new Error('undo');
        }),
      );
      await tx.savepoint((inner) => inner.execute('INSERT INTO t VALUES (3, 3)'));
    });
    expect(await rows()).toEqual([
      { id: 1, n: 5 },
      { id: 2, n: 0 },
      { id: 3, n: 3 },
    ]);
  });

  test('a duplicate key inside does not spoil the transaction', async () => {
    await db.transaction(async (tx) => {
      await tx.execute('UPDATE t SET n = 7 WHERE id = 1');
      expect(await rejection(tx.execute('INSERT INTO t VALUES (1, 1)'))).toBeInstanceOf(DuplicateKeyError);
    });
    expect(await rows()).toEqual([
      { id: 1, n: 7 },
      { id: 2, n: 0 },
    ]);
  });

  test('statements that commit by themselves or steer the transaction are refused', async () => {
    for (const text of [
      'COMMIT',
      'ROLLBACK',
      'BEGIN',
      'SET autocommit = 1',
      'CREATE TABLE u (a INT)',
      'TRUNCATE t',
      'LOCK TABLES t READ',
    ]) {
      const error = await rejection(db.transaction((tx) => tx.query(text)));
      expect(error, text).toBeInstanceOf(ImplicitCommitError);
    }
    expect(await rows()).toHaveLength(2);
  });

  test('a routine that commits behind our back ends the transaction with its outcome unknown', async () => {
    const error = await rejection(
      db.transaction(async (tx) => {
        await tx.execute('UPDATE t SET n = 8 WHERE id = 1');
        await tx.call('CALL sneaky()');
      }),
    );
    expect(error).toBeInstanceOf(ImplicitCommitError);
    expect(error).toMatchObject({ outcome: 'unknown' });
  });

  test('a handle inside the closure is refused unless that is said to be meant', async () => {
    await db.transaction(async () => {
      expect(await rejection(db.primary().query('SELECT 1'))).toBeInstanceOf(OutsideTransactionError);
      expect(await rejection(db.replica().query('SELECT 1'))).toBeInstanceOf(OutsideTransactionError);
      expect(await rejection(db.transaction(async () => 1))).toBeInstanceOf(OutsideTransactionError);
      expect(await db.primary().value('SELECT 1', [], { insideTransaction: true })).toBe(1);
    });
    expect(await db.primary().value('SELECT 1')).toBe(1);
  });

  test('tx is of no use after its closure has ended', async () => {
    let kept: Transaction | undefined;
    await db.transaction(async (tx) => {
      kept = tx;
    });
    expect(await rejection(kept?.query('SELECT 1') ?? Promise.resolve())).toBeInstanceOf(
      TransactionClosedError,
    );
  });

  test('runs again after a deadlock, and both transactions end up done', async () => {
    const retries = recordEvents(db, 'operation:retry');
    let runs = 0;
    const both = (first: number, second: number) =>
      db.transaction(async (tx) => {
        runs += 1;
        await tx.execute('UPDATE t SET n = n + 1 WHERE id = ?', [first]);
        await sleep(150);
        await tx.execute('UPDATE t SET n = n + 1 WHERE id = ?', [second]);
      });
    await Promise.all([both(1, 2), both(2, 1)]);
    expect(await rows()).toEqual([
      { id: 1, n: 2 },
      { id: 2, n: 2 },
    ]);
    expect(runs).toBe(3);
    expect(retries).toHaveLength(1);
  });

  test('sends no COMMIT after a deadlock that the closure swallowed', async () => {
    let runs = 0;
    const error = await rejection(
      Promise.all([
        db.transaction(
          async (tx) => {
            await tx.execute('UPDATE t SET n = n + 1 WHERE id = 1');
            await sleep(150);
            await tx.execute('UPDATE t SET n = n + 1 WHERE id = 2').catch(() => {});
            await tx.execute('INSERT INTO t VALUES (50, 0)').catch(() => {});
          },
          { retry: false },
        ),
        db.transaction(
          async (tx) => {
            runs += 1;
            await tx.execute('UPDATE t SET n = n + 10 WHERE id = 2');
            await sleep(150);
            await tx.execute('UPDATE t SET n = n + 10 WHERE id = 1').catch(() => {});
            await tx.execute('INSERT INTO t VALUES (60, 0)').catch(() => {});
          },
          { retry: false },
        ),
      ]),
    );
    expect(error).toBeInstanceOf(DeadlockError);
    await idle();
    expect(runs).toBe(1);
    const ids = (await rows()).map(({ id }) => id);
    expect(ids.filter((id) => id === 50 || id === 60).length).toBe(1);
  });

  test('a lock time-out spoils the transaction: half of it is never committed', async () => {
    await db.primary().connection(async (blocker) => {
      await blocker.query('BEGIN');
      await blocker.query('UPDATE t SET n = 1 WHERE id = 2');
      const error = await rejection(
        db.transaction(
          async (tx) => {
            await tx.execute('UPDATE t SET n = 99 WHERE id = 1');
            await tx.execute('UPDATE t SET n = 99 WHERE id = 2').catch(() => {});
          },
          { retry: false },
        ),
      );
      expect(error).toBeInstanceOf(LockTimeoutError);
      await blocker.query('ROLLBACK');
    });
    expect(await rows()).toEqual([
      { id: 1, n: 0 },
      { id: 2, n: 0 },
    ]);
  });

  test('ends at its deadline with the statement stopped on the server and everything undone', async () => {
    const error = await rejection(
      db.transaction(
        async (tx) => {
          await tx.execute('UPDATE t SET n = 99 WHERE id = 1');
          await tx.query('SELECT SLEEP(20)');
        },
        { timeoutMs: 500 },
      ),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    await eventually('the lock to be gone', async () => {
      const result = await db
        .primary()
        .execute('UPDATE t SET n = 1 WHERE id = 1')
        .catch(() => undefined);
      return result !== undefined;
    });
    expect(await rows()).toEqual([
      { id: 1, n: 1 },
      { id: 2, n: 0 },
    ]);
    await idle();
  });

  test('statements started together run one after the other', async () => {
    const values = await db.transaction((tx) =>
      Promise.all([1, 2, 3, 4, 5].map((n) => tx.value('SELECT ? + SLEEP(0.01)', [n]))),
    );
    expect(values).toEqual([1, 2, 3, 4, 5]);
  });

  test('waits for statements that the closure did not await before it commits', async () => {
    await db.transaction(async (tx) => {
      void tx.execute('INSERT INTO t VALUES (70, SLEEP(0.1))');
    });
    expect((await rows()).map(({ id }) => id)).toContain(70);
  });

  describe('streams of a transaction', () => {
    const manyRows = "SELECT t.id, REPEAT('x', 65536) AS big FROM t, information_schema.columns LIMIT 500";

    test('read what it has written, one statement after the other', async () => {
      const ids = await db.transaction(async (tx) => {
        await tx.execute('INSERT INTO t VALUES (3, 0)');
        const seen: number[] = [];
        for await (const { id } of tx.rows<{ id: number }>().stream('SELECT id FROM t ORDER BY id'))
          seen.push(id);
        await tx.execute('UPDATE t SET n = 1 WHERE id = 3');
        return seen;
      });
      expect(ids).toEqual([1, 2, 3]);
      expect(await db.primary().value('SELECT n FROM t WHERE id = 3')).toBe(1);
    });

    test('can be left, and the transaction goes on', async () => {
      await db.transaction(async (tx) => {
        for await (const _ of tx.stream(manyRows)) break;
        await tx.execute('UPDATE t SET n = 5 WHERE id = 1');
      });
      expect(await db.primary().value('SELECT n FROM t WHERE id = 1')).toBe(5);
    });

    test('that nobody reads on hold up neither its end nor, beyond the deadline, its next statement', async () => {
      const error = await rejection(
        db.transaction(
          async (tx) => {
            for await (const _ of tx.stream(manyRows)) await tx.execute('UPDATE t SET n = 6 WHERE id = 1');
          },
          { timeoutMs: 600 },
        ),
      );
      expect(error).toMatchObject({ code: 'VIPSQL_TIMEOUT', phase: 'turn', outcome: 'not-executed' });
      const left = await db.transaction(async (tx) => {
        const stream = tx.stream(manyRows);
        await new Promise((resolve) => {
          stream.once('data', resolve);
        });
        stream.pause();
        return stream;
      });
      expect(left.destroyed).toBe(true);
      expect(await db.primary().value('SELECT n FROM t WHERE id = 1')).toBe(0);
      expect(db.status().primary.inUse).toBe(0);
    });

    test('spoil it when they break', async () => {
      const error = await rejection(
        db.transaction(async (tx) => {
          await tx.execute('UPDATE t SET n = 7 WHERE id = 1');
          for await (const _ of tx.stream('SELECT id, IF(id > 1, (SELECT id FROM t), 0) AS one FROM t'))
            void _;
        }),
      );
      expect(error).toMatchObject({ code: 'VIPSQL_SQL' });
      expect(await db.primary().value('SELECT n FROM t WHERE id = 1')).toBe(0);
    });
  });

  test('a connection on loan streams too', async () => {
    const ids = await db.primary().connection(async (connection) => {
      await connection.execute('SET @least = 2');
      const seen: unknown[] = [];
      for await (const { id } of connection.stream('SELECT id FROM t WHERE id >= @least')) seen.push(id);
      for await (const _ of connection.stream('SELECT id FROM t')) break;
      expect(await connection.value('SELECT @least')).toBe(2);
      return seen;
    });
    expect(ids).toEqual([2]);
  });
});
