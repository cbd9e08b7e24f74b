import type { Knex } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { type KnexFailure, openKnex } from './knex-lab.ts';

describe.each(labVendors)('transactions of Knex on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.account (id INT PRIMARY KEY, amount INT NOT NULL)');
    await lab.heal();
  });

  beforeEach(async () => {
    await lab.owner().query('DELETE FROM lab.account');
    await lab.owner().query('INSERT INTO lab.account VALUES (1, 10), (2, 10)');
    await lab.heal();
  });

  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const amounts = async (knex: Knex): Promise<number[]> =>
    await knex('account').orderBy('id').pluck('amount');

  test('commit, roll back, and undo a part by a savepoint', async () => {
    const knex = openKnex(openCluster(lab));
    const result = await knex.transaction(
      async (trx) => {
        await trx('account').where('id', 1).update({ amount: 1 });
        await trx
          .transaction(async (part) => {
            await part('account').where('id', 2).update({ amount: 2 });
            throw new Error('undo the part');
          })
          .catch(() => undefined);
        return 'done';
      },
      { isolationLevel: 'read committed' },
    );
    expect(result).toBe('done');
    expect(await amounts(knex)).toEqual([1, 10]);
    await rejection(
      knex.transaction(async (trx) => {
        await trx('account').update({ amount: 0 });
        throw new Error('undo it all');
      }),
    );
    expect(await amounts(knex)).toEqual([1, 10]);
    expect(knex.client.pool.numUsed()).toBe(0);
  });

  test.each(['read', 'left'])('are spoiled by a stream that broke while it was %s', async (state) => {
    const knex = openKnex(openCluster(lab));
    const spoiled = await rejection(
      knex.transaction(async (trx) => {
        await trx('account').where('id', 1).update({ amount: 0 });
        const stream = trx
          .raw("SELECT id, REPEAT('x', 65536) AS big, SLEEP(IF(id > 1, 20, 0)) AS s FROM account ORDER BY id")
          .stream();
        await new Promise((resolve) => {
          stream.once('data', resolve);
        });
        const ended = new Promise((resolve) => {
          stream.on('error', resolve);
        });
        if (state === 'left') stream.destroy();
        const [running] = await lab
          .owner()
          .query<{ id: number }>(
            "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT id, REPEAT%'",
          );
        await lab.owner().query(`KILL QUERY ${running?.id}`);
        if (state === 'read') await ended;
        await trx('account')
          .where('id', 2)
          .update({ amount: 0 })
          .catch(() => undefined);
      }),
    );
    expect(spoiled).toMatchObject({ cause: { code: 'VIPSQL_QUERY_KILLED' } });
    expect(await amounts(knex)).toEqual([10, 10]);
  });

  test('run their statements one after the other, whichever way they are sent', async () => {
    const knex = openKnex(openCluster(lab));
    await knex.transaction(async (trx) => {
      await Promise.all([1, 2, 3, 4].map(() => trx('account').where('id', 1).increment('amount', 1)));
      const streamed: unknown[] = [];
      for await (const row of trx('account').orderBy('id').stream()) streamed.push(row);
      expect(streamed).toEqual([
        { id: 1, amount: 14 },
        { id: 2, amount: 10 },
      ]);
      for await (const _ of trx('account').stream()) break;
      await trx('account').where('id', 2).increment('amount', 1);
    });
    expect(await amounts(knex)).toEqual([14, 11]);
  });

  test('commit nothing after a deadlock, also when it was swallowed', async () => {
    const knex = openKnex(openCluster(lab));
    const order = async (first: number, second: number, ready: () => Promise<void>): Promise<void> => {
      await knex.transaction(async (trx) => {
        await trx('account')
          .where('id', first)
          .update({ amount: first * 100 });
        await ready();
        await trx('account')
          .where('id', second)
          .update({ amount: first * 100 })
          .catch(() => undefined);
        await trx('account').where('id', first).increment('amount', 1);
      });
    };
    let arrived = 0;
    const both = async (): Promise<void> => {
      arrived += 1;
      await eventually('both', () => arrived === 2);
    };
    const ends = await Promise.allSettled([order(1, 2, both), order(2, 1, both)]);
    const failed = ends.filter((end) => end.status === 'rejected');
    expect(failed).toHaveLength(1);
    const error = failed[0]?.reason as KnexFailure;
    expect(error).toMatchObject({ code: 'ER_LOCK_DEADLOCK', errno: 1213 });
    expect(error.cause).toMatchObject({ code: 'VIPSQL_DEADLOCK', outcome: 'rolled-back' });
    const [winner] = ends[0]?.status === 'fulfilled' ? [1] : [2];
    expect(await amounts(knex)).toEqual(winner === 1 ? [101, 100] : [200, 201]);
  });

  test('keep the first error when their connection is lost, and leave nothing behind', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db);
    const error = (await rejection(
      knex.transaction(async (trx) => {
        await trx('account').where('id', 1).update({ amount: 0 });
        const { threadId } = await trx.client.acquireConnection();
        await db.primary().query(`KILL ${threadId}`);
        await trx('account').where('id', 2).update({ amount: 0 });
      }),
    )) as KnexFailure;
    expect(error.message).toMatch(/^update `account` set `amount` = 0 where `id` = 2 - /);
    expect(error.cause.code).toBe('VIPSQL_CONNECTION_LOST');
    expect(await amounts(knex)).toEqual([10, 10]);
  });

  test('say when a COMMIT was sent and never answered', async () => {
    const db = openCluster(lab);
    const doubts = recordEvents(db, 'operation:in-doubt');
    const knex = openKnex(db, {}, { timeoutMs: 1_000 });
    const trx = await knex.transaction();
    await trx('account').where('id', 1).update({ amount: 7 });
    await lab.fault({ kind: 'black-hole' });
    const error = (await rejection(trx.commit().then(() => trx.executionPromise))) as KnexFailure;
    expect(error.message).toMatch(/^COMMIT; - The COMMIT was sent/);
    expect(error.cause).toMatchObject({ code: 'VIPSQL_IN_DOUBT', outcome: 'unknown' });
    expect(doubts).toHaveLength(1);
  });

  test('are waited for by a cluster that closes', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db);
    const trx = await knex.transaction();
    await trx('account').where('id', 1).update({ amount: 3 });
    expect(db.status().running).toBe(1);
    const closed = db.close({ timeoutMs: 5_000 });
    await trx('account').where('id', 2).update({ amount: 4 });
    await trx.commit();
    await closed;
    expect(await lab.owner().query('SELECT amount FROM lab.account ORDER BY id')).toEqual([
      { amount: 3 },
      { amount: 4 },
    ]);
    expect(((await rejection(knex('account').then())) as KnexFailure).cause).toMatchObject({
      code: 'VIPSQL_CLOSED',
    });
  });

  test('are not what a db.transaction closure does with knex', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db);
    const error = (await rejection(
      db.transaction(() => knex('account').update({ amount: 0 }).then()),
    )) as KnexFailure;
    expect(error.cause).toMatchObject({ code: 'VIPSQL_OUTSIDE_TRANSACTION' });
    expect(await amounts(knex)).toEqual([10, 10]);
  });

  test('that are begun by hand, where Knex gives the connection back at once, are refused and rolled back', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db, { pool: { min: 0, max: 1 } });
    const begun = (await rejection(knex.raw('BEGIN').then())) as KnexFailure;
    expect(begun.cause).toMatchObject({ code: 'VIPSQL_SESSION_STATE', outcome: 'rolled-back' });
    await knex.raw('SET autocommit = 0');
    const update = knex('account').where('id', 1).update({ amount: 9 });
    const lost = (await rejection(update.then())) as KnexFailure;
    expect(lost.message).toContain('knex.transaction');
    expect(await amounts(knex)).toEqual([10, 10]);
    const connection = await knex.client.acquireConnection();
    await knex.raw('BEGIN').connection(connection);
    await knex('account').connection(connection).where('id', 1).update({ amount: 11 });
    await knex.raw('COMMIT').connection(connection);
    await knex.client.releaseConnection(connection);
    expect(await amounts(knex)).toEqual([11, 10]);
  });
});
