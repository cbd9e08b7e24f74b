import { and, eq, relations, sql } from 'drizzle-orm';
import { bigint, int, mysqlTable, timestamp, varchar } from 'drizzle-orm/mysql-core';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type DrizzleOptions, drizzle, onPrimary, onReplica } from '../../../src/adapters/drizzle/index.ts';
import { type Cluster, ConfigError, createCluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { openCluster, openServing, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { vipsqlErrorIn } from '../../support/wrapped-errors.ts';

const item = mysqlTable('item', { id: int().primaryKey().autoincrement(), qty: int().notNull() });
const stock = mysqlTable('stock', { sku: int().primaryKey(), qty: int().notNull() });
const note = mysqlTable('note', {
  id: int().primaryKey(),
  itemId: int().notNull(),
  words: varchar({ length: 60 }).notNull(),
  views: bigint({ mode: 'number' }),
  at: timestamp(),
});
const schema = {
  item,
  stock,
  note,
  itemRelations: relations(item, ({ many }) => ({ notes: many(note) })),
  noteRelations: relations(note, ({ one }) => ({
    item: one(item, { fields: [note.itemId], references: [item.id] }),
  })),
};
type Schema = typeof schema;

describe.each(labVendors)('Drizzle on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
    for (const statement of [
      'CREATE TABLE lab.item (id INT PRIMARY KEY AUTO_INCREMENT, qty INT NOT NULL)',
      'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
      'CREATE TABLE lab.note (id INT PRIMARY KEY, item_id INT NOT NULL, words VARCHAR(60) NOT NULL, views BIGINT, at TIMESTAMP NULL)',
      'INSERT INTO lab.item (id, qty) VALUES (1, 1), (2, 2), (3, 3)',
      'INSERT INTO lab.stock VALUES (1, 1)',
      "INSERT INTO lab.note VALUES (1, 1, 'one', 7, NULL), (2, 1, 'two', NULL, NULL)",
    ]) {
      await lab.owner().query(statement);
    }
    await lab.heal();
  });

  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const open = (db: Cluster, options?: DrizzleOptions<Schema>): MySql2Database<Schema> =>
    drizzle(db, {
      schema,
      casing: 'snake_case',
      // MariaDB has no lateral joins.
      mode: vendor === 'mariadb' ? 'planetscale' : 'default',
      ...options,
    });

  const server = async (on: Pick<MySql2Database<Schema>, 'select'>): Promise<unknown> =>
    (await on.select({ id: sql<number>`@@server_id` }).from(item).limit(1))[0];

  test('asks the primary, unless the database says otherwise', async () => {
    const db = await openServing(lab);
    const [primary] = await lab.owner().query('SELECT @@server_id AS id');
    const bound = open(db);
    expect(await server(bound)).toEqual(primary);
    expect(await server(onReplica(bound))).not.toEqual(primary);
    const onReplicas = open(db, { target: 'replica' });
    expect(await server(onReplicas)).not.toEqual(primary);
    expect(await server(onPrimary(onReplicas))).toEqual(primary);
    await onReplicas.transaction(async (tx) => {
      expect(await server(tx)).toEqual(primary);
      await tx.transaction(async (inner) => expect(await server(inner)).toEqual(primary));
      expect(() => onReplica(tx as unknown as MySql2Database<Schema>)).toThrow(ConfigError);
    });
  });

  test("sends with 'auto' to a replica what a builder only reads, and everything else to the primary", async () => {
    const db = await openServing(lab, { primaryOnly: ['stock'] });
    const database = open(db, { target: 'auto' });
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    for (const table of ['item', 'stock']) await lab.owner().query(`UPDATE lab.${table} SET qty = 100`);
    const [fresh, old] = [[{ qty: 100 }], [{ qty: 1 }]];
    const qty = { qty: item.qty };
    const first = eq(item.id, 1);
    expect(await database.select(qty).from(item).where(first)).toEqual(old);
    expect(await database.selectDistinct(qty).from(item).where(first)).toEqual(old);
    const few = database.$with('few').as(database.select(qty).from(item).where(first));
    expect(await database.with(few).select().from(few)).toEqual(old);
    expect(await database.query.item.findMany({ columns: { qty: true }, where: first })).toEqual(old);
    expect(await database.$count(item, eq(item.qty, 100))).toBe(0);
    const seen: unknown[] = [];
    for await (const row of database.select(qty).from(item).where(first).iterator()) seen.push(row);
    expect(seen).toEqual(old);
    expect(await database.select(qty).from(item).where(first).for('update')).toEqual(fresh);
    expect(await database.select({ qty: stock.qty }).from(stock)).toEqual(fresh);
    expect(await onPrimary(database).$count(item, eq(item.qty, 100))).toBe(3);
    const [byHand] = await database.execute(sql`SELECT qty FROM item WHERE id = 1`);
    expect(byHand).toEqual(fresh);
    await database.update(item).set({ qty: sql`id` });
  });

  test('gives results as Drizzle makes them', async () => {
    const database = open(openCluster(lab));
    const [{ insertId }] = await database.insert(item).values({ qty: 5 });
    expect(insertId).toBeGreaterThan(3);
    const [made] = await database.insert(item).values({ qty: 6 }).$returningId();
    expect(await database.$count(item, and(eq(item.id, made?.id ?? 0), eq(item.qty, 6)))).toBe(1);
    const at = new Date('2026-03-04T05:06:07Z');
    await database.update(note).set({ at }).where(eq(note.id, 1));
    const joined = await database
      .select()
      .from(item)
      .leftJoin(note, eq(note.itemId, item.id))
      .orderBy(item.id, note.id);
    expect(joined.slice(0, 3)).toEqual([
      { item: { id: 1, qty: 1 }, note: { id: 1, itemId: 1, words: 'one', views: 7, at } },
      { item: { id: 1, qty: 1 }, note: { id: 2, itemId: 1, words: 'two', views: null, at: null } },
      { item: { id: 2, qty: 2 }, note: null },
    ]);
    const streamed: unknown[] = [];
    const rows = database
      .select()
      .from(item)
      .leftJoin(note, eq(note.itemId, item.id))
      .orderBy(item.id, note.id);
    for await (const row of rows.iterator()) streamed.push(row);
    expect(streamed).toEqual(joined);
    for (const other of [database, open(openCluster(lab), { mode: 'planetscale' })]) {
      const found = await other.query.item.findFirst({
        where: eq(item.id, 1),
        with: { notes: { columns: { words: true } } },
      });
      expect(found).toEqual({ id: 1, qty: 1, notes: [{ words: 'one' }, { words: 'two' }] });
    }
    const relational = database.query.item.findMany({ orderBy: item.id, limit: 2 }).prepare();
    const one: unknown[] = [];
    for await (const row of relational.iterator()) one.push(row);
    expect(one).toEqual([
      { id: 1, qty: 1 },
      { id: 2, qty: 2 },
    ]);
    const prepared = database
      .select()
      .from(item)
      .where(eq(item.id, sql.placeholder('id')))
      .prepare();
    expect(await prepared.execute({ id: 2 })).toEqual([{ id: 2, qty: 2 }]);
    await database.delete(item).where(sql`id > 3`);
  });

  test('writes an object as text where a column takes it for a value', async () => {
    const database = open(openCluster(lab));
    const sent = { words: 1 } as unknown as string;
    expect(await database.select().from(note).where(eq(note.words, sent))).toEqual([]);
    const assigned = await rejection(database.execute(sql`UPDATE note SET ${sent} WHERE id = 99`));
    expect(vipsqlErrorIn(assigned)).toMatchObject({ name: 'SqlError', errno: 1064 });
  });

  test('tells its logger what is asked', async () => {
    const told: unknown[] = [];
    const logger = { logQuery: (query: string, params: unknown[]) => told.push([query, params]) };
    const database = open(openCluster(lab), { logger });
    await database.select({ id: item.id }).from(item).where(eq(item.id, 1));
    for await (const _ of database.select({ id: item.id }).from(item).iterator());
    expect(told).toEqual([
      ['select `id` from `item` where `item`.`id` = ?', [1]],
      ['select `id` from `item`', []],
    ]);
  });

  test('refuses what would end a transaction by itself, and goes on', async () => {
    const database = open(openCluster(lab));
    await database.transaction(async (tx) => {
      for (const text of ['CREATE TABLE late (id INT)', 'COMMIT', 'SAVEPOINT mine']) {
        const refused = vipsqlErrorIn(await rejection(tx.execute(text)));
        expect(refused).toMatchObject({ code: 'VIPSQL_IMPLICIT_COMMIT', outcome: 'not-executed' });
      }
      await tx.update(item).set({ qty: 1 }).where(eq(item.id, 1));
    });
  });

  test('refuses what belongs to a session outside of a transaction, and takes it back after one', async () => {
    const db = openCluster(lab, { pool: { max: 1 } });
    const database = open(db);
    for (const text of ['SET @mine = 7', 'SELECT LAST_INSERT_ID()']) {
      const refused = vipsqlErrorIn(await rejection(database.execute(text)));
      expect(refused).toMatchObject({ code: 'VIPSQL_SESSION_STATE', outcome: 'not-executed' });
    }
    await database.transaction(async (tx) => {
      await tx.execute('SET @mine = 7');
      expect((await tx.execute('SELECT @mine AS mine'))[0]).toEqual([{ mine: 7 }]);
    });
    expect(await db.primary().connection((pinned) => pinned.value('SELECT @mine'))).toBeNull();
  });

  test('applies isolation level and access mode, and refuses a snapshot', async () => {
    const database = open(openCluster(lab));
    const write = (tx: Pick<MySql2Database<Schema>, 'update'>): Promise<unknown> =>
      tx.update(item).set({ qty: 1 }).execute();
    const readOnly = { isolationLevel: 'serializable', accessMode: 'read only' } as const;
    const error = await rejection(database.transaction(write, readOnly));
    expect(vipsqlErrorIn(error)).toMatchObject({ name: 'SqlError', errno: 1792 });
    const snapshot = { isolationLevel: 'repeatable read', withConsistentSnapshot: true } as const;
    expect(await rejection(database.transaction(write, snapshot))).toBeInstanceOf(ConfigError);
  });

  test('looks up a COMMIT with exactlyOnce', async () => {
    const db = openCluster(lab);
    await db.createLedger();
    const database = open(db, { exactlyOnce: true });
    await database.transaction((tx) => tx.insert(item).values({ id: 700, qty: 7 }));
    const [row] = await lab.owner().query('SELECT COUNT(*) AS n FROM lab.vipsql_commit');
    expect(Number(row?.n)).toBe(1);
    await database.delete(item).where(eq(item.id, 700));
  });
});

test('options that cannot be used are told at once', async () => {
  expect(() => drizzle({} as Cluster)).toThrow(/db: must be what createCluster/);
  await using db = createCluster({ primary: '127.0.0.1:1', user: 'nobody' });
  const wrong = {
    target: 'master',
    timeoutMs: 0,
    casing: 'upper',
    mode: 'x',
    logger: 3,
    client: {},
  } as object;
  expect(() => drizzle(db, wrong)).toThrow(ConfigError);
  expect(() => onReplica({} as MySql2Database)).toThrow(/must be what drizzle/);
});
