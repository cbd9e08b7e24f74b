import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type AutoHandle,
  type CallResult,
  type Cluster,
  type ClusterConfig,
  type ClusterEvents,
  createCluster,
  type EventListener,
  type ExecuteResult,
  type InterruptionReason,
  type KeyedResult,
  type Outcome,
  type PinnedConnection,
  type Query,
  type ReadSql,
  type RowStream,
  type Snapshot,
  sql,
  type Transaction,
  type TransactionOptions,
} from '../../src/index.ts';

declare const db: Cluster;

interface Item {
  id: number;
  name: string;
}

describe('rows', () => {
  test('have the type of their handle', () => {
    expectTypeOf(db.primary<Item>().query('SELECT 1')).resolves.toEqualTypeOf<Item[]>();
    expectTypeOf(db.replica<Item>().one('SELECT 1')).resolves.toEqualTypeOf<Item>();
    expectTypeOf(db.replica<Item>().maybeOne('SELECT 1')).resolves.toEqualTypeOf<Item | undefined>();
    expectTypeOf(db.primary().query('SELECT 1')).resolves.toEqualTypeOf<Record<string, unknown>[]>();
    expectTypeOf(db.primary().value<number>('SELECT 1')).resolves.toEqualTypeOf<number>();
  });

  test('have the type of their schema', () => {
    const schema = z.object({ id: z.number() });
    expectTypeOf(db.primary().query('SELECT 1', [], { schema })).resolves.toEqualTypeOf<{ id: number }[]>();
    expectTypeOf(db.primary().one('SELECT 1', [], { schema })).resolves.toEqualTypeOf<{ id: number }>();
  });

  test('stream with their type', async () => {
    for await (const row of db.replica<Item>().stream('SELECT 1')) expectTypeOf(row).toEqualTypeOf<Item>();
  });
});

test('results without rows say what was done', () => {
  expectTypeOf(db.primary().execute('DELETE FROM t')).resolves.toEqualTypeOf<ExecuteResult>();
  expectTypeOf<ExecuteResult['insertId']>().toEqualTypeOf<number>();
  expectTypeOf<ExecuteResult['insertIdBig']>().toEqualTypeOf<bigint>();
  expectTypeOf(db.primary<Item>().call('CALL p()')).resolves.toEqualTypeOf<CallResult<Item>>();
});

test('sessions give what their closure gives, and take a token', () => {
  expectTypeOf(db.session(async () => 7)).resolves.toEqualTypeOf<number>();
  expectTypeOf(db.token()).toEqualTypeOf<string | undefined>();
  expectTypeOf<ExecuteResult['token']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Transaction['token']>().toEqualTypeOf<string | undefined>();
  db.replica({ consistency: 'strong' }).query('SELECT 1', [], { after: 'v1.x' });
  // @ts-expect-error only reads on replicas may choose what they must see
  db.primary({ consistency: 'strong' });
  // @ts-expect-error there are three levels
  db.replica({ consistency: 'bounded' });
});

test('what closures are given has the methods that fit', () => {
  db.transaction(async (tx) => {
    expectTypeOf(tx).toEqualTypeOf<Transaction>();
    expectTypeOf(tx.rows<Item>().one('SELECT 1')).resolves.toEqualTypeOf<Item>();
    expectTypeOf(tx.rows<Item>().stream('SELECT 1')).toEqualTypeOf<RowStream<Item>>();
  });
  db.primary().connection(async (connection) => expectTypeOf(connection).toEqualTypeOf<PinnedConnection>());
  db.replica<Item>().snapshot(async (snapshot) => {
    expectTypeOf(snapshot).toEqualTypeOf<Snapshot<Item>>();
    expectTypeOf(snapshot).not.toHaveProperty('execute');
  });
});

test('options of calls and transactions know their keys', () => {
  const signal = new AbortController().signal;
  db.primary({ timeoutMs: 5, idempotent: true }).query('SELECT 1', [], {
    signal,
    prepare: true,
    json: ['a'],
  });
  // @ts-expect-error no such option
  db.primary().query('SELECT 1', [], { timeout: 5 });
  // @ts-expect-error not an isolation level
  db.transaction(async () => {}, { isolation: 'dirty' });
});

test('a transaction gives what its closure gives', () => {
  expectTypeOf(
    db.transaction(async (tx) => (await tx.execute('DELETE')).affectedRows),
  ).resolves.toEqualTypeOf<number>();
});

test('a transaction with a key says whether it had been done', () => {
  const place = async (): Promise<{ id: string }> => ({ id: 'a' });
  expectTypeOf(db.transaction(place, { exactlyOnce: true })).resolves.toEqualTypeOf<{ id: string }>();
  expectTypeOf(db.transaction(place, { exactlyOnce: { key: 'a' } })).resolves.toEqualTypeOf<
    KeyedResult<{ id: string }>
  >();
  expectTypeOf<KeyedResult<number>>().toEqualTypeOf<{ readonly done: boolean; readonly result: number }>();
  const options: TransactionOptions = { exactlyOnce: true };
  expectTypeOf(db.transaction(place, options)).resolves.toEqualTypeOf<{ id: string }>();
  // @ts-expect-error a key is a text
  db.transaction(place, { exactlyOnce: { key: 5 } });
  // @ts-expect-error the key is missing
  db.transaction(place, { exactlyOnce: {} });
});

test('a replica handle has no way to write', () => {
  expectTypeOf(db.replica()).not.toHaveProperty('execute');
  expectTypeOf(db.replica()).not.toHaveProperty('call');
  expectTypeOf(db.primary()).toHaveProperty('execute');
});

test('an auto handle reads and writes, with the options of both', async () => {
  const signal = new AbortController().signal;
  expectTypeOf(db.auto<Item>()).toEqualTypeOf<AutoHandle<Item>>();
  const items = db.auto<Item>({ consistency: 'strong', timeoutMs: 5, idempotent: true });
  expectTypeOf(items.query('SELECT 1')).resolves.toEqualTypeOf<Item[]>();
  expectTypeOf(items.query('UPDATE item SET name = 1')).resolves.toEqualTypeOf<Item[]>();
  expectTypeOf(items.one('SELECT 1', [], { after: 'v1.x', signal })).resolves.toEqualTypeOf<Item>();
  expectTypeOf(items.maybeOne(sql`SELECT ${1}`)).resolves.toEqualTypeOf<Item | undefined>();
  expectTypeOf(items.value<number>('SELECT 1')).resolves.toEqualTypeOf<number>();
  expectTypeOf(
    items.execute('DELETE FROM item', [], { after: 'v1.x' }),
  ).resolves.toEqualTypeOf<ExecuteResult>();
  expectTypeOf(items.call('CALL p()')).resolves.toEqualTypeOf<CallResult<Item>>();
  const schema = z.object({ id: z.number() });
  expectTypeOf(items.query('SELECT 1', [], { schema })).resolves.toEqualTypeOf<{ id: number }[]>();
  for await (const row of items.stream('SELECT 1')) expectTypeOf(row).toEqualTypeOf<Item>();
  expectTypeOf(items).not.toHaveProperty('connection');
  expectTypeOf(items).not.toHaveProperty('snapshot');
  // @ts-expect-error no such option
  db.auto({ maxLag: 5 });
});

describe('a replica handle', () => {
  test('takes no literal that begins with a verb that writes', () => {
    // @ts-expect-error UPDATE is no read
    db.replica().query('UPDATE stock SET qty = 0');
    // @ts-expect-error UPDATE is no read, whatever the type of the rows
    db.replica<Item>().query('UPDATE stock SET qty = 0');
    // @ts-expect-error DELETE is no read
    db.replica<Item>().one('  delete from stock');
    // @ts-expect-error INSERT is no read
    db.replica<Item>().maybeOne('\n\tINSERT\n\tINTO stock VALUES (?)', [1]);
    // @ts-expect-error TRUNCATE is no read
    db.replica().queryWithInfo('TRUNCATE stock');
    // @ts-expect-error CALL is no read
    db.replica().value('CALL restock()');
    // @ts-expect-error COMMIT is no read
    db.replica().stream('COMMIT');
    // @ts-expect-error REPLACE is no read, with a schema as well
    db.replica().query('REPLACE INTO stock VALUES (1)', [], { schema: z.object({ id: z.number() }) });
    // @ts-expect-error UPDATE is no read
    db.replica<Item>().snapshot((snapshot) => snapshot.query('UPDATE stock SET qty = 0'));
  });

  test('says what to use instead', () => {
    expectTypeOf<
      ReadSql<'UPDATE stock SET qty = 0'>
    >().toEqualTypeOf<'UPDATE is no read: use db.primary() or db.transaction() for it'>();
  });

  test('takes literals that read, any other text, and fragments', () => {
    const text: string = 'UPDATE';
    const query: Query = text;
    expectTypeOf(db.replica<Item>().query('SELECT * FROM item')).resolves.toEqualTypeOf<Item[]>();
    expectTypeOf(db.replica<Item>().query('(SELECT 1)\nUNION (SELECT 2)')).resolves.toEqualTypeOf<Item[]>();
    expectTypeOf(db.replica<Item>().query('UPDATED')).resolves.toEqualTypeOf<Item[]>();
    expectTypeOf(db.replica<Item>().query(text)).resolves.toEqualTypeOf<Item[]>();
    expectTypeOf(db.replica<Item>().query(query)).resolves.toEqualTypeOf<Item[]>();
    expectTypeOf(db.replica<Item>().one(sql`SELECT ${1}`)).resolves.toEqualTypeOf<Item>();
    expectTypeOf(db.replica().value<number>('SELECT 1')).resolves.toEqualTypeOf<number>();
    expectTypeOf(db.primary<Item>().query('UPDATE item SET name = 1')).resolves.toEqualTypeOf<Item[]>();
  });
});

test('the configuration knows its keys', () => {
  expectTypeOf(createCluster).parameter(0).toEqualTypeOf<ClusterConfig>();
  // @ts-expect-error no such option
  createCluster({ primary: 'vip', replica_s: [] });
  // @ts-expect-error not a policy
  createCluster({ primary: 'vip', balance: { policy: 'fastest' } });
  // @ts-expect-error the primary is missing
  createCluster({ replicas: [] });
  createCluster({ primary: 'vip', cache: { redis: 'redis://localhost' } });
  // @ts-expect-error no such option of the cache
  createCluster({ primary: 'vip', cache: { url: 'redis://localhost' } });
  // @ts-expect-error durations are numbers of milliseconds
  createCluster({ primary: 'vip', timeoutMs: '5s' });
  // @ts-expect-error there is one login for the primary
  createCluster({ primary: { host: 'vip', user: 'shop' } });
});

test('events have their payloads', () => {
  db.on('epoch:opened', (event) => {
    expectTypeOf(event.epoch).toEqualTypeOf<number>();
    expectTypeOf(event.previous).toEqualTypeOf<string | undefined>();
  });
  db.once('primary:interrupted', ({ reason }) => expectTypeOf(reason).toEqualTypeOf<InterruptionReason>());
  db.on('operation:retry', ({ outcome }) => expectTypeOf(outcome).toEqualTypeOf<Outcome>());
  expectTypeOf<EventListener<'replica:down'>>().parameter(0).toEqualTypeOf<ClusterEvents['replica:down']>();
  // @ts-expect-error no such event
  db.on('epoch:closed', () => {});
});

test('a cluster comes from createCluster alone', () => {
  // @ts-expect-error a type, not a class to make
  type _ = typeof import('../../src/index.ts').Cluster;
  expectTypeOf(createCluster).returns.toEqualTypeOf<Cluster>();
  expectTypeOf<Cluster>().toExtend<AsyncDisposable>();
});

test('cached reads take what a replica takes, and keep the type of its rows', () => {
  const handle = db.replica<{ id: number }>().cached({ key: 'k', tags: ['t'], ttlMs: 5_000 });
  expectTypeOf(handle.query('SELECT id FROM t')).resolves.toEqualTypeOf<{ id: number }[]>();
  expectTypeOf(handle.maybeOne('SELECT id FROM t')).resolves.toEqualTypeOf<{ id: number } | undefined>();
  expectTypeOf(handle.value<string>('SELECT name FROM t')).resolves.toEqualTypeOf<string>();
  // @ts-expect-error no read
  handle.query('DELETE FROM t');
  // @ts-expect-error a cached answer is as old as it may be
  handle.query('SELECT 1', [], { maxLagMs: 5 });
  // @ts-expect-error nor is it the newest
  handle.query('SELECT 1', [], { consistency: 'strong' });
  // @ts-expect-error no such option
  db.replica().cached({ ttl: 5 });
});

test('values that are no query have the type that their load gives', () => {
  expectTypeOf(db.cache.read('k', async () => 5)).resolves.toEqualTypeOf<number>();
  expectTypeOf(
    db.cache.read('k', (source) => source.replica<{ n: number }>().one('SELECT n FROM t')),
  ).resolves.toEqualTypeOf<{ n: number }>();
  // @ts-expect-error keys and tags are lists
  db.cache.invalidate({ keys: 'k' });
});

test('what writes may invalidate', () => {
  db.primary().execute('DELETE FROM t', [], { invalidates: { keys: ['k'], tags: ['t'] } });
  db.transaction(async (tx) => tx.invalidates({ tags: ['t'] }));
  // @ts-expect-error only db.primary() does
  db.replica().query('SELECT 1', [], { invalidates: { keys: ['k'] } });
  // @ts-expect-error a stream is not over when it is given
  db.primary().stream('SELECT 1', [], { invalidates: { keys: ['k'] } });
});
