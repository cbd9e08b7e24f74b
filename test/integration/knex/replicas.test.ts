import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openServing, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { type KnexFailure, openKnex, openStock } from './knex-lab.ts';

describe.each(labVendors)('replicas of Knex on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
    for (const statement of [
      'CREATE TABLE lab.item (id INT PRIMARY KEY, name VARCHAR(40), big BIGINT, made DATETIME)',
      "INSERT INTO lab.item VALUES (1, 'one', 9007199254740993, '2026-02-28 10:00:00')",
      'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
      'INSERT INTO lab.stock VALUES (1, 5)',
      'CREATE VIEW lab.shelf AS SELECT sku FROM lab.stock',
    ]) {
      await lab.owner().query(statement);
    }
    await lab.heal();
  });

  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const open = (): Promise<Cluster> => openServing(lab, { primaryOnly: ['stock'] });

  /** The server that answers, where `knex` or the query sends it. */
  const asked = 'SELECT @@server_id AS id';

  const idOf = async (query: PromiseLike<unknown>): Promise<number> => {
    const [[row]] = (await query) as [[{ id: number }]];
    return row.id;
  };

  test('are asked only when a query says so', async () => {
    const knex = openKnex(await open());
    const primary = await idOf(knex.raw(asked));
    expect(await idOf(knex.raw(asked).replica())).not.toBe(primary);
    expect(await idOf(knex.raw(asked).replica().primary())).toBe(primary);
    const rows = await knex('item').where('id', 1).replica().clone().select('name');
    expect(rows).toEqual([{ name: 'one' }]);
    await knex.transaction(async (trx) => {
      expect(await idOf(trx.raw(asked).replica())).toBe(primary);
      expect(await idOf(knex.raw(asked).replica().transacting(trx))).toBe(primary);
    });
  });

  test('are asked by every query of a client that is bound to them, but for those that say otherwise', async () => {
    const knex = openKnex(await open(), {}, { target: 'replica' });
    const replica = await idOf(knex.raw(asked));
    const primary = await idOf(knex.raw(asked).primary());
    expect(replica).not.toBe(primary);
    expect(await knex.transaction((trx) => idOf(trx.raw(asked)))).toBe(primary);
    expect(await knex.schema.hasTable('item')).toBe(true);
    expect(await knex('item').first('name')).toEqual({ name: 'one' });
  });

  test('give the values that the primary gives, also as a stream', async () => {
    const knex = openKnex(await open());
    const expected = await openStock(lab)('item');
    expect(await knex('item').replica()).toEqual(expected);
    const streamed: unknown[] = [];
    for await (const row of knex('item').replica().stream()) streamed.push(row);
    expect(streamed).toEqual(expected);
  });

  test('are not asked for what no replica may do', async () => {
    const knex = openKnex(await open());
    const refused = async (query: { then: Promise<unknown>['then'] }): Promise<KnexFailure> =>
      (await rejection(Promise.resolve(query))) as KnexFailure;
    const write = await refused(knex('item').replica().insert({ id: 2 }));
    expect(write.message).toMatch(/^insert into `item` \(`id`\) values \(2\) - /);
    expect(write.cause).toMatchObject({ code: 'VIPSQL_REPLICA_READ_ONLY', outcome: 'not-executed' });
    for (const query of [
      knex('item').forUpdate().replica(),
      knex.raw('SET @a = 1').replica(),
      knex.raw('SELECT ?', [{ toSqlString: () => "GET_LOCK('a', 0)" }] as never).replica(),
    ]) {
      expect((await refused(query)).cause).toMatchObject({ code: 'VIPSQL_REPLICA_READ_ONLY' });
    }
    for (const query of [
      knex('stock as s').select('s.qty').replica(),
      knex('item').whereIn('id', knex('stock').select('sku')).replica(),
      knex('shelf').replica(),
    ]) {
      expect((await refused(query)).cause).toMatchObject({ code: 'VIPSQL_PRIMARY_REQUIRED' });
    }
    const stream = async (): Promise<void> => {
      for await (const _ of knex('stock').replica().stream()) expect.unreachable();
    };
    expect(((await rejection(stream())) as KnexFailure).cause).toMatchObject({
      code: 'VIPSQL_PRIMARY_REQUIRED',
    });
    expect(await knex('stock').first('qty')).toEqual({ qty: 5 });
  });

  test('are never asked which migrations have run', async () => {
    const knex = openKnex(await open(), {}, { target: 'replica' });
    const migrationSource = {
      getMigrations: async () => ['first'],
      getMigrationName: (name: string) => name,
      getMigration: async () => ({ up: async () => {}, down: async () => {} }),
    };
    const error = (await rejection(knex.migrate.latest({ migrationSource }))) as KnexFailure;
    expect(error.cause).toMatchObject({ code: 'VIPSQL_PRIMARY_REQUIRED' });
  });

  test('show in a session what it has written through Knex', async () => {
    const db = await open();
    const knex = openKnex(db);
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    const seen = await db.session(async () => {
      await knex('item').insert({ id: 3, name: 'three' });
      await knex.transaction(async (trx) => {
        await trx('item').insert({ id: 4, name: 'four' });
      });
      return await knex('item').whereIn('id', [3, 4]).orderBy('id').replica().pluck('name');
    });
    expect(seen).toEqual(['three', 'four']);
    expect(await knex('item').where('id', 3).replica()).toEqual([]);
    await lab.fault({ kind: 'start-applier', server: 'r1' });
    await eventually(
      'the replica has it',
      async () => (await knex('item').where('id', 3).replica()).length === 1,
    );
  });

  test('stop a read that is cancelled', async () => {
    const db = await open();
    const knex = openKnex(db);
    const slow =
      'SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c';
    const error = await rejection(knex.raw(slow).replica().timeout(200, { cancel: true }).then());
    expect(error).toMatchObject({ name: 'KnexTimeoutError' });
    await eventually('it has ended there', async () => {
      const rows = await db
        .replica<{ INFO: string | null }>()
        .query('SELECT INFO FROM information_schema.processlist');
      return !rows.some(({ INFO }) => INFO === slow);
    });
  });

  test('are not asked for another database than the cluster has', async () => {
    const knex = openKnex(await open(), { connection: { database: 'information_schema' } });
    const error = await rejection(knex.raw('SELECT 1').replica().then());
    expect((error as Error).message).toContain('connection.database');
    const [[row]] = await knex.raw('SELECT DATABASE() AS name');
    expect(row).toEqual({ name: 'information_schema' });
  });
});
