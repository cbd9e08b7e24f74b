import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionLostError, InDoubtError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, rejection } from '../../support/cluster.ts';
import type { Theft } from '../../support/commit-gate.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { type GatedCluster, gatedCluster } from './gated-cluster.ts';

describe.each(labVendors)('a COMMIT whose answer is lost, on %s, with the same primary', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY, n INT NOT NULL)');
  });

  afterAll(() => lab?.stop());

  beforeEach(async () => {
    // A session whose COMMIT was lost for good holds its locks until the server notices.
    const sessions = await lab
      .owner()
      .query<{ id: number }>('SELECT id FROM information_schema.processlist WHERE user = ?', [lab.user]);
    for (const { id } of sessions) await rejection(lab.owner().query(`KILL ${id}`)).catch(() => {});
    await lab.owner().query('DELETE FROM lab.t');
  });

  const count = async (): Promise<number> => {
    const [row] = await lab.owner().query('SELECT COUNT(*) AS n FROM lab.t');
    return Number(row?.n);
  };

  /** The closure gives the number of its run. */
  const insertOnce = async ({ db }: GatedCluster) => {
    let runs = 0;
    const result = await db.transaction(
      async (tx) => {
        runs += 1;
        await tx.execute('INSERT INTO t VALUES (1, ?)', [runs]);
        return runs;
      },
      { exactlyOnce: true },
    );
    return { result, runs, rows: await count() };
  };

  /** Loses the first COMMIT in one manner and lets the others pass. */
  const once = (theft: Theft) => {
    let left = 1;
    return (): Theft | undefined => (left-- > 0 ? theft : undefined);
  };

  test('that took place gives the result, without a second run', async () => {
    await using gated = await gatedCluster(lab);
    const resolved = recordEvents(gated.db, 'commit:resolved');
    gated.gate.steal(once('answer'));
    expect(await insertOnce(gated)).toEqual({ result: 1, runs: 1, rows: 1 });
    expect(resolved).toMatchObject([{ committed: true, epoch: 1 }]);
  });

  test.each<Theft>(['question', 'delay'])(
    'that did not take place (%s) runs the closure again',
    async (theft) => {
      await using gated = await gatedCluster(lab);
      const resolved = recordEvents(gated.db, 'commit:resolved');
      gated.gate.steal(once(theft));
      expect(await insertOnce(gated)).toEqual({ result: 2, runs: 2, rows: 1 });
      expect(resolved).toMatchObject([{ committed: false }]);
      // Once for both tries: the second took the place of the fence.
      expect(await lab.owner().query('SELECT committed FROM lab.vipsql_commit')).toContainEqual({
        committed: 1,
      });
      expect(await lab.owner().query('SELECT id FROM lab.vipsql_commit WHERE committed = 0')).toEqual([]);
    },
  );

  test('that did not take place, where nothing may run again, says that it was rolled back', async () => {
    await using gated = await gatedCluster(lab);
    gated.gate.steal(once('question'));
    const error = await rejection(
      gated.db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1, 1)'), {
        exactlyOnce: true,
        retry: false,
      }),
    );
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error).toMatchObject({ outcome: 'rolled-back' });
    expect(String(error)).toContain('the commit ledger shows that the COMMIT did not take place');
    expect(await count()).toBe(0);
  });

  test('and that nobody reports is looked up before the deadline', async () => {
    await using gated = await gatedCluster(lab);
    gated.gate.steal(once('silence'));
    const result = await gated.db.transaction(
      async (tx) => {
        await tx.execute('INSERT INTO t VALUES (1, 1)');
        return 'placed';
      },
      { exactlyOnce: true, timeoutMs: 4_000 },
    );
    expect(result).toBe('placed');
    expect(await count()).toBe(1);
  });

  test('with a key gives the result once, and again to a repeat', async () => {
    await using gated = await gatedCluster(lab);
    for (const [index, theft] of (['answer', 'question', 'delay'] as const).entries()) {
      const place = () =>
        gated.db.transaction(
          async (tx) => {
            await tx.execute('INSERT INTO t VALUES (?, 1)', [index]);
            return { index };
          },
          { exactlyOnce: { key: `${theft}-${index}` } },
        );
      gated.gate.steal(once(theft));
      expect(await place(), theft).toEqual({ done: false, result: { index } });
      expect(await place(), theft).toEqual({ done: true, result: { index } });
    }
    expect(await count()).toBe(3);
  });

  test('with a key that another caller used meanwhile gives that one’s result', async () => {
    await using gated = await gatedCluster(lab);
    const place = (id: number) =>
      gated.db.transaction(
        async (tx) => {
          await tx.execute('INSERT INTO t VALUES (?, 1)', [id]);
          return { id };
        },
        { exactlyOnce: { key: 'shared' } },
      );
    gated.gate.steal(once('question'));
    const results = await Promise.all([place(1), place(2)]);
    expect(results.map(({ done }) => done).sort()).toEqual([false, true]);
    expect(results[0]?.result).toEqual(results[1]?.result);
    expect(await count()).toBe(1);
  });

  test('and that cannot be looked up until the deadline is in doubt, and says why', async () => {
    await using gated = await gatedCluster(lab);
    const inDoubt = recordEvents(gated.db, 'operation:in-doubt');
    gated.gate.close();
    const began = performance.now();
    const transaction = rejection(
      gated.db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1, 1)'), {
        exactlyOnce: true,
        timeoutMs: 3_000,
      }),
    );
    await gated.gate.holds(1);
    await lab.fault({ kind: 'refuse' });
    const error = await transaction;
    expect(performance.now() - began).toBeLessThan(6_000);
    await lab.fault({ kind: 'answer' });
    expect(error).toBeInstanceOf(InDoubtError);
    expect(error).toMatchObject({ missingProof: 'deadline', outcome: 'unknown' });
    expect(String(error)).toMatch(/because no primary could be asked in time/);
    expect(inDoubt).toHaveLength(1);
  });

  test('and whose transaction will not end is in doubt at the deadline', async () => {
    await using gated = await gatedCluster(lab);
    gated.gate.close();
    const transaction = rejection(
      gated.db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1, 1)'), {
        exactlyOnce: true,
        timeoutMs: 4_000,
      }),
    );
    await gated.gate.holds(1);
    await lab.owner().query('FLUSH TABLES WITH READ LOCK');
    gated.gate.open();
    const error = await transaction;
    await lab.owner().query('UNLOCK TABLES');
    expect(error, String(error)).toMatchObject({ code: 'VIPSQL_IN_DOUBT', missingProof: 'deadline' });
    expect(String(error)).toMatch(/its transaction had not ended|the primary did not answer in time/);
  });

  test('and that the caller gives up is in doubt at once', async () => {
    await using gated = await gatedCluster(lab);
    const caller = new AbortController();
    gated.gate.close();
    const transaction = rejection(
      gated.db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1, 1)'), {
        exactlyOnce: true,
        signal: caller.signal,
      }),
    );
    await gated.gate.holds(1);
    caller.abort(new Error('the user has left'));
    expect(await transaction).toMatchObject({ code: 'VIPSQL_IN_DOUBT', missingProof: 'aborted' });
  });

  test('and that the end of the cluster overtakes is in doubt', async () => {
    await using gated = await gatedCluster(lab);
    gated.gate.close();
    const transaction = rejection(
      gated.db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1, 1)'), { exactlyOnce: true }),
    );
    await gated.gate.holds(1);
    await gated.db.close({ timeoutMs: 50 });
    expect(await transaction).toMatchObject({ code: 'VIPSQL_IN_DOUBT', missingProof: 'closed' });
  });

  test('thirty times in every manner leaves each order there once', async () => {
    await using gated = await gatedCluster(lab);
    const thefts: readonly Theft[] = ['answer', 'question', 'delay'];
    let turn = 0;
    gated.gate.steal(() => (turn++ < 36 ? thefts[turn % thefts.length] : undefined));
    while (gated.orders.unanswered < 30) await gated.orders.place(gated.db, 8, { key: turn % 16 >= 8 });
    const { twice, lost, misreported, inDoubt, notPlaced } = await gated.orders.tally(lab);
    expect({ twice, lost, misreported, inDoubt, notPlaced }).toEqual({
      twice: [],
      lost: [],
      misreported: [],
      inDoubt: 0,
      notPlaced: 0,
    });
    await eventually('no transaction left behind', async () => {
      // MySQL's applier may keep an empty one of its own.
      const [row] = await lab
        .owner()
        .query(
          'SELECT COUNT(*) AS n FROM information_schema.innodb_trx JOIN information_schema.processlist ' +
            'ON id = trx_mysql_thread_id WHERE user = ?',
          [lab.user],
        );
      return Number(row?.n) === 0;
    });
  });
});
