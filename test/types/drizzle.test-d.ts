import { eq, relations } from 'drizzle-orm';
import { bigint, datetime, decimal, int, json, mysqlTable, varchar } from 'drizzle-orm/mysql-core';
import type { MySql2Database, MySqlRawQueryResult } from 'drizzle-orm/mysql2';
import { expectTypeOf, test } from 'vitest';
import {
  type DrizzleOptions,
  drizzle,
  onPrimary,
  onReplica,
  type QueryTarget,
} from '../../src/adapters/drizzle/index.ts';
import type { Cluster } from '../../src/index.ts';

declare const db: Cluster;

const product = mysqlTable('product', {
  id: bigint({ mode: 'bigint' }).primaryKey(),
  name: varchar({ length: 60 }),
  price: decimal({ precision: 10, scale: 2 }).notNull(),
  since: datetime().notNull(),
  labels: json().$type<string[]>().notNull(),
});

const stock = mysqlTable('stock', {
  sku: int().primaryKey(),
  productId: bigint({ mode: 'bigint' }).notNull(),
});

const stockRelations = relations(stock, ({ one }) => ({
  product: one(product, { fields: [stock.productId], references: [product.id] }),
}));

const schema = { product, stock, stockRelations };

interface Product {
  id: bigint;
  name: string | null;
  price: string;
  since: Date;
  labels: string[];
}

test('what is made is a database of Drizzle’s, with its schema', () => {
  expectTypeOf(drizzle(db)).toEqualTypeOf<MySql2Database>();
  expectTypeOf(drizzle(db, { target: 'auto' })).toEqualTypeOf<MySql2Database>();
  expectTypeOf(drizzle(db, { schema })).toEqualTypeOf<MySql2Database<typeof schema>>();
  // @ts-expect-error what has no schema knows no tables
  drizzle(db).query.product;
});

test('where a database reads makes no difference to its type', () => {
  const database = drizzle(db, { schema });
  expectTypeOf(onReplica(database)).toEqualTypeOf<typeof database>();
  expectTypeOf(onPrimary(database)).toEqualTypeOf<typeof database>();
  // @ts-expect-error a cluster is no database
  onReplica(db);
});

test('rows have the types of their columns', async () => {
  const database = drizzle(db, { schema });
  expectTypeOf(await database.select().from(product)).toEqualTypeOf<Product[]>();
  expectTypeOf(
    await onReplica(database).select({ name: product.name }).from(product).where(eq(product.id, 1n)),
  ).toEqualTypeOf<{ name: string | null }[]>();
  expectTypeOf(await database.query.stock.findFirst({ with: { product: true } })).toEqualTypeOf<
    { sku: number; productId: bigint; product: Product } | undefined
  >();
  // @ts-expect-error no such column
  database.insert(stock).values({ sku: 1, productId: 1n, qty: 3 });
});

test('a write gives what mysql2 gives, a transaction what its closure gives', async () => {
  const database = drizzle(db, { schema });
  expectTypeOf(
    await database.insert(stock).values({ sku: 1, productId: 1n }),
  ).toEqualTypeOf<MySqlRawQueryResult>();
  const names = database.transaction(
    async (tx) => (await tx.query.product.findMany()).map(({ name }) => name),
    { isolationLevel: 'read committed', accessMode: 'read only' },
  );
  expectTypeOf(await names).toEqualTypeOf<(string | null)[]>();
});

test('options know their keys', () => {
  expectTypeOf<QueryTarget>().toEqualTypeOf<'primary' | 'replica' | 'auto'>();
  expectTypeOf<DrizzleOptions['target']>().toEqualTypeOf<QueryTarget | undefined>();
  expectTypeOf<DrizzleOptions['exactlyOnce']>().toEqualTypeOf<boolean | undefined>();
  // @ts-expect-error no such option
  drizzle(db, { replica: true });
  // @ts-expect-error not a target
  drizzle(db, { target: 'nearest' });
  // @ts-expect-error not a mode
  drizzle(db, { schema, mode: 'lateral' });
});
