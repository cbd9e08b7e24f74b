import { Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type KyselyDialectOptions,
  onPrimary,
  onReplica,
  VipsqlDialect,
} from '../../../src/adapters/kysely/index.ts';
import { type Cluster, ConfigError, createCluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { openCluster, openServing, rejection, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

interface Database {
  item: { id: number; qty: number };
  stock: { sku: number; qty: number };
}

describe.each(labVendors)('Kysely on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
    for (const statement of [
      'CREATE TABLE lab.item (id INT PRIMARY KEY AUTO_INCREMENT, qty INT NOT NULL)',
      'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
      'CREATE PROCEDURE lab.two_sets() BEGIN SELECT 1 AS a; SELECT 2 AS b; END',
      'INSERT INTO lab.item (id, qty) VALUES (1, 1), (2, 2), (3, 3)',
      'INSERT INTO lab.stock VALUES (1, 1)',
    ]) {
      await lab.owner().query(statement);
    }
    await lab.heal();
  });

  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const open = (db: Cluster, options?: KyselyDialectOptions): Kysely<Database> =>
    new Kysely<Database>({ dialect: new VipsqlDialect(db, options) });

  const idOf = async (server: { query(text: string): Promise<readonly object[]> }): Promise<unknown> =>
    (await server.query('SELECT @@server_id AS id'))[0];

  /** The server that a builder's query runs on. */
  const server = (kysely: Kysely<Database>) =>
    kysely.selectFrom('item').select(sql<number>`@@server_id`.as('id')).limit(1).executeTakeFirst();

  test('asks the primary, unless the dialect or the query says otherwise', async () => {
    const db = await openServing(lab);
    const primary = await idOf(lab.owner());
    const bound = open(db);
    expect(await server(bound)).toEqual(primary);
    expect(await server(bound.withPlugin(onReplica()))).not.toEqual(primary);
    const onReplicas = open(db, { target: 'replica' });
    expect(await server(onReplicas)).not.toEqual(primary);
    expect(await server(onReplicas.withPlugin(onPrimary()))).toEqual(primary);
    await onReplicas
      .transaction()
      .execute(async (trx) => expect(await server(trx.withPlugin(onReplica()))).toEqual(primary));
  });

  test("sends with 'auto' to a replica what a builder only reads, and everything else to the primary", async () => {
    const db = await openServing(lab, { primaryOnly: ['stock'] });
    const kysely = open(db, { target: 'auto' });
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    for (const table of ['item', 'stock']) await lab.owner().query(`UPDATE lab.${table} SET qty = 100`);
    const [fresh, old] = [[{ qty: 100 }], [{ qty: 1 }]];
    const item = kysely.selectFrom('item').select('qty').where('id', '=', 1);
    expect(await item.execute()).toEqual(old);
    const derived = kysely
      .with('few', () => item)
      .selectFrom('few')
      .select('qty');
    expect(await derived.execute()).toEqual(old);
    expect(await item.forUpdate().execute()).toEqual(fresh);
    expect(await kysely.selectFrom('stock').select('qty').execute()).toEqual(fresh);
    expect((await sql`SELECT qty FROM item WHERE id = 1`.execute(kysely)).rows).toEqual(fresh);
    await kysely.updateTable('item').set({ qty: sql`id` }).execute();
  });

  test('tells what a statement has done', async () => {
    const kysely = open(openCluster(lab));
    const inserted = await kysely.insertInto('item').values({ id: 900, qty: 0 }).executeTakeFirstOrThrow();
    expect(inserted).toMatchObject({ numInsertedOrUpdatedRows: 1n });
    const { insertId } = await sql`INSERT INTO item (qty) VALUES (5)`.execute(kysely);
    expect(insertId).toBeGreaterThan(900n);
    const [updated] = await kysely.updateTable('item').set({ qty: 0 }).where('id', '=', 900).execute();
    expect(updated).toMatchObject({ numUpdatedRows: 1n, numChangedRows: 0n });
    expect((await sql`CALL two_sets()`.execute(kysely)).rows).toEqual([{ a: 1 }]);
    if (vendor === 'mariadb') {
      const { rows } = await sql`INSERT INTO item (qty) VALUES (6) RETURNING qty`.execute(kysely);
      expect(rows).toEqual([{ qty: 6 }]);
    }
    await kysely.deleteFrom('item').where('id', '>', 3).execute();
  });

  test('streams in pieces of the size that is asked for, in a transaction too', async () => {
    const kysely = open(openCluster(lab));
    await kysely.transaction().execute(async (trx) => {
      await trx.updateTable('item').set({ qty: 9 }).where('id', '=', 2).execute();
      const seen: number[] = [];
      for await (const { qty } of trx.selectFrom('item').select('qty').orderBy('id').stream(2))
        seen.push(qty);
      expect(seen).toEqual([1, 9, 3]);
      await trx.updateTable('item').set({ qty: 2 }).where('id', '=', 2).execute();
    });
  });

  test('keeps one session from the first statement on that leaves something in it, and takes that back', async () => {
    const db = openCluster(lab, { pool: { max: 1 } });
    const kysely = open(db);
    await kysely.connection().execute(async (own) => {
      await sql`SET @mine = 7`.execute(own);
      expect((await sql<{ mine: unknown }>`SELECT @mine AS mine`.execute(own)).rows).toEqual([{ mine: 7 }]);
      const inTransaction = await own.transaction().execute(async (trx) => {
        await trx.updateTable('item').set({ qty: 8 }).where('id', '=', 1).execute();
        return (await sql<{ mine: unknown }>`SELECT @mine AS mine`.execute(trx)).rows;
      });
      expect(inTransaction).toEqual([{ mine: 7 }]);
      const seen: unknown[] = [];
      for await (const row of own.selectFrom('item').select('qty').where('id', '=', 1).stream(1))
        seen.push(row);
      expect(seen).toEqual([{ qty: 8 }]);
      await rejection(
        own.transaction().execute(async (trx) => {
          await trx.updateTable('item').set({ qty: 0 }).execute();
          throw new Error('undo');
        }),
      );
      expect(await own.selectFrom('item').select('qty').where('id', '=', 1).executeTakeFirst()).toEqual({
        qty: 8,
      });
    });
    expect(await db.primary().connection((pinned) => pinned.value('SELECT @mine'))).toBeNull();
    for (const alone of [sql`SET @gone = 1`, sql`SELECT GET_LOCK('job', 0)`]) {
      expect(await rejection(alone.execute(kysely))).toMatchObject({
        code: 'VIPSQL_SESSION_STATE',
        message: expect.stringContaining('kysely.connection()'),
      });
    }
    await kysely.connection().execute(async (own) => {
      await sql`SELECT GET_LOCK('job', 0)`.execute(own);
      await sleep(5);
    });
    expect(db.status().primary.inUse).toBe(0);
    const unknown = await rejection(sql`SELECT LAST_INSERT_ID()`.execute(kysely));
    expect(unknown).toMatchObject({ code: 'VIPSQL_SESSION_STATE' });
    await kysely.updateTable('item').set({ qty: 1 }).where('id', '=', 1).execute();
  });

  test('runs its migrations on one session of the primary, two processes at a time', async () => {
    let ran = 0;
    const up = async (kysely: Kysely<unknown>): Promise<void> => {
      ran += 1;
      await kysely.schema.createTable('migrated').addColumn('id', 'integer').execute();
      await kysely.transaction().execute((trx) => sql`INSERT INTO migrated VALUES (1)`.execute(trx));
    };
    const migrations: Record<string, Migration> = { first: { up } };
    const migrator = (): Migrator =>
      new Migrator({
        db: open(openCluster(lab)),
        provider: { getMigrations: async () => migrations },
      });
    const results = await Promise.all([migrator().migrateToLatest(), migrator().migrateToLatest()]);
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(ran).toBe(1);
    expect(await lab.owner().query('SELECT id FROM lab.migrated')).toEqual([{ id: 1 }]);
  });

  test('reads its tables from the schema', async () => {
    const tables = await open(openCluster(lab)).introspection.getTables();
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['item', 'stock']));
  });

  test('refuses what would end a transaction by itself, and goes on', async () => {
    const kysely = open(openCluster(lab));
    await kysely.transaction().execute(async (trx) => {
      const refused = await rejection(trx.schema.createTable('late').addColumn('id', 'integer').execute());
      expect(refused).toMatchObject({ code: 'VIPSQL_IMPLICIT_COMMIT', outcome: 'not-executed' });
      await trx.updateTable('item').set({ qty: 1 }).where('id', '=', 1).execute();
    });
  });

  test('applies isolation level and access mode', async () => {
    const kysely = open(openCluster(lab));
    const error = await rejection(
      kysely
        .transaction()
        .setAccessMode('read only')
        .setIsolationLevel('serializable')
        .execute((trx) => trx.updateTable('item').set({ qty: 1 }).execute()),
    );
    expect(error).toMatchObject({ name: 'SqlError', errno: 1792 });
  });

  test('resolves with exactlyOnce a COMMIT whose answer was lost', async () => {
    const db = openCluster(lab);
    await db.createLedger();
    const kysely = open(db, { exactlyOnce: true });
    await kysely.transaction().execute(async (trx) => {
      await trx.insertInto('item').values({ id: 700, qty: 7 }).execute();
    });
    const [row] = await lab.owner().query('SELECT COUNT(*) AS n FROM lab.vipsql_commit');
    expect(Number(row?.n)).toBe(1);
  });
});

test('options that cannot be used are told at once', async () => {
  expect(() => new VipsqlDialect({} as Cluster)).toThrow(/db: must be what createCluster/);
  await using db = createCluster({ primary: '127.0.0.1:1', user: 'nobody' });
  const wrong = { target: 'master', timeoutMs: 0, pool: 3 } as object;
  expect(() => new VipsqlDialect(db, wrong)).toThrow(ConfigError);
});
