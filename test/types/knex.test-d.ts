import knex, { type Knex } from 'knex';
import { expectTypeOf, test } from 'vitest';
import { type KnexClientOptions, knexClient } from '../../src/adapters/knex/index.ts';
import type { Cluster } from '../../src/index.ts';

declare const db: Cluster;

interface Item {
  readonly id: number;
  readonly name: string;
}

test('what is made is a client class of Knex', () => {
  expectTypeOf(knexClient(db)).toEqualTypeOf<typeof Knex.Client>();
  knex({ client: knexClient(db, { target: 'replica' }), pool: { max: 5 } });
});

test('a query says where it runs, and keeps its rows', async () => {
  const on = knex({ client: knexClient(db) });
  expectTypeOf(await on<Item>('item').where('id', 1).replica().select('name')).toEqualTypeOf<
    Pick<Item, 'name'>[]
  >();
  on.raw('SELECT 1').replica();
  on('item').select().primary();
  // @ts-expect-error schemas are changed on the primary
  on.schema.replica();
});

test('options know their keys', () => {
  expectTypeOf<KnexClientOptions['target']>().toEqualTypeOf<'primary' | 'replica' | undefined>();
  // @ts-expect-error no such option
  knexClient(db, { replica: true });
  // @ts-expect-error not a target
  knexClient(db, { target: 'auto' });
});
