import { type Dialect, Kysely, type Transaction } from 'kysely';
import { expectTypeOf, test } from 'vitest';
import {
  type KyselyDialectOptions,
  onPrimary,
  onReplica,
  type QueryTarget,
  VipsqlDialect,
} from '../../src/adapters/kysely/index.ts';
import type { Cluster } from '../../src/index.ts';

declare const db: Cluster;

interface Database {
  product: { id: bigint; name: string | null };
}

test('what is made is a dialect of Kysely’s', () => {
  expectTypeOf(new VipsqlDialect(db, { target: 'auto' })).toExtend<Dialect>();
});

test('where a query runs makes no difference to its rows', async () => {
  const kysely = new Kysely<Database>({ dialect: new VipsqlDialect(db) });
  const products = kysely.selectFrom('product').select('name');
  type Names = { name: string | null }[];
  expectTypeOf(await products.execute()).toEqualTypeOf<Names>();
  expectTypeOf(await products.withPlugin(onReplica()).execute()).toEqualTypeOf<Names>();
  expectTypeOf(kysely.withPlugin(onReplica())).toEqualTypeOf<Kysely<Database>>();
  expectTypeOf(kysely.withPlugin(onPrimary())).toEqualTypeOf<Kysely<Database>>();
  kysely.transaction().execute(async (trx) => {
    expectTypeOf(trx).toEqualTypeOf<Transaction<Database>>();
  });
});

test('options know their keys', () => {
  expectTypeOf<QueryTarget>().toEqualTypeOf<'primary' | 'replica' | 'auto'>();
  expectTypeOf<KyselyDialectOptions['exactlyOnce']>().toEqualTypeOf<boolean | undefined>();
  // @ts-expect-error no such option
  new VipsqlDialect(db, { replica: true });
  // @ts-expect-error not a target
  new VipsqlDialect(db, { target: 'nearest' });
});
