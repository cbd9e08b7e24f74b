import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster, ClusterConfig } from '../../src/index.ts';
import { type Lab, startLab } from '../../src/testing/index.ts';
import { eventually, openCluster, openServing, recordEvents, rejection } from './cluster.ts';
import { labVendors } from './lab-vendors.ts';
import { expectToldTrue, writeOverFailover } from './load-over-failover.ts';
import { codesIn, vipsqlErrorIn } from './wrapped-errors.ts';

/** A row of `item (id VARCHAR(60) PRIMARY KEY, qty INT NOT NULL)`. */
export interface Item {
  readonly id: string;
  readonly qty: number;
}

/** A row of `load_row (id VARCHAR(60) NOT NULL, part INT NOT NULL)`, without a key: a row that is written twice is there twice. */
export interface LoadRow {
  readonly id: string;
  readonly part: number;
}

/**
 * A row of `typed (id VARCHAR(60) PRIMARY KEY, big BIGINT, amount DECIMAL(20, 2), moment DATETIME(3), bytes BLOB,
 * words VARCHAR(60), doc JSON, nothing INT)`.
 */
export interface TypedValues {
  readonly id: string;
  readonly big: bigint;
  readonly amount: string;
  readonly moment: Date;
  readonly bytes: Buffer;
  readonly words: string;
  /** Written as JSON: what takes no objects writes `JSON.stringify(doc)`. */
  readonly doc: object;
  readonly nothing: null;
}

/** What can be asked of the other library, and of a transaction of its. Each is done in its own idiom. */
export interface AdapterStatements {
  insertItem(item: Item): Promise<unknown>;
  item(id: string): Promise<Item | undefined>;
  /** How many rows were found. */
  updateItem(id: string, qty: number): Promise<number>;
  deleteItem(id: string): Promise<number>;
  insertLoad(row: LoadRow): Promise<unknown>;
  /** Raw SQL without values. Resolves to the rows. */
  raw(sql: string): Promise<readonly Record<string, unknown>[]>;
}

export interface AdapterTransaction extends AdapterStatements {
  /** A part that can fail by itself, where there is such a thing: a savepoint. */
  savepoint?(part: (tx: AdapterStatements) => Promise<void>): Promise<void>;
}

/** The library under test, on one cluster. */
export interface Adapter extends AdapterStatements {
  transaction<T>(work: (tx: AdapterTransaction) => Promise<T>): Promise<T>;
  insertTyped(values: TypedValues): Promise<unknown>;
  /** The row of `typed` with that id, without it. */
  typed(id: string): Promise<unknown>;
  /** The same library, reading on replicas. */
  readonly replica: Pick<AdapterStatements, 'insertItem' | 'item' | 'raw'>;
  /** The rows of `item` by id, one by one. */
  items?(): AsyncIterable<Item>;
  /** Raw SQL that ends when the signal fires. */
  cancellable?(sql: string, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export interface AdapterSettings {
  /** How many connections the library may hold at once, where it has a pool of its own. */
  readonly poolMax: number;
  /** How long it waits for one of its own. */
  readonly acquireMs: number;
}

/** How an adapter is to be tried. */
export interface AdapterContract {
  open(db: Cluster, settings: AdapterSettings): Adapter | Promise<Adapter>;
  /** What {@link Adapter.typed} makes of values that were written. */
  typedAs(values: TypedValues): object;
  /** The code that its errors have beside vipsql's, where they look like another driver's. */
  readonly duplicateCode?: string;
  /** It asks for counts of rows that were changed, not of those that were found. */
  readonly countsChanged?: boolean;
  /** An error of its own that says that its pool had no connection in time; without it the error is vipsql's. */
  isExhausted?(error: unknown): boolean;
  /** An error of its own that says that it has rolled back by itself after a deadlock; without it the error is vipsql's. */
  isRolledBack?(error: unknown): boolean;
}

const tables = [
  'CREATE TABLE lab.item (id VARCHAR(60) PRIMARY KEY, qty INT NOT NULL)',
  'CREATE TABLE lab.load_row (id VARCHAR(60) NOT NULL, part INT NOT NULL)',
  'CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)',
  'CREATE TABLE lab.typed (id VARCHAR(60) PRIMARY KEY, big BIGINT, amount DECIMAL(20, 2), moment DATETIME(3), ' +
    'bytes BLOB, words VARCHAR(60), doc JSON, nothing INT)',
];

const written: Omit<TypedValues, 'id'> = {
  big: 9_007_199_254_740_993n,
  amount: '123456789012345678.90',
  moment: new Date('2026-02-28T23:59:58.123Z'),
  bytes: Buffer.from([0, 0xff, 0x27, 0x5c, 0x0a]),
  words: "ä ☂ 🐬 ' \\ %s ?",
  doc: { a: [1, 'é', null] },
  nothing: null,
};

/** What {@link written} is on the server. */
const asText = `SELECT CAST(big AS CHAR) AS big, CAST(amount AS CHAR) AS amount,
  DATE_FORMAT(moment, '%Y-%m-%dT%T.%f') AS moment, HEX(bytes) AS bytes, HEX(words) AS words,
  JSON_EXTRACT(doc, '$.a[0]') + 0 AS first, nothing FROM lab.typed WHERE id = ?`;

/** Takes minutes; SLEEP is no use, which MySQL ends without an error. */
const slow =
  'SELECT COUNT(*) AS n FROM information_schema.columns a, information_schema.columns b, information_schema.columns c';

/** What every adapter has to do, on real servers and over a failover. */
export function describeAdapter(name: string, contract: AdapterContract): void {
  describe.each(labVendors)(`${name} on %s keeps the contract of adapters:`, (vendor) => {
    let lab: Lab;
    const opened: Adapter[] = [];

    beforeAll(async () => {
      lab = await startLab({ vendor, replicas: 1, redis: false });
      for (const statement of tables) await lab.owner().query(statement);
      await lab.heal();
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((adapter) => adapter.close()));
      await lab.heal();
      for (const table of ['item', 'load_row', 'typed']) await lab.owner().query(`DELETE FROM lab.${table}`);
      await lab.heal();
    });

    afterAll(() => lab?.stop());

    async function adapterOn(db: Cluster, settings: Partial<AdapterSettings> = {}): Promise<Adapter> {
      const adapter = await contract.open(db, { poolMax: 10, acquireMs: 5_000, ...settings });
      opened.push(adapter);
      return adapter;
    }

    const openAdapter = (config?: Partial<ClusterConfig>): Promise<Adapter> =>
      adapterOn(openCluster(lab, config));

    const idOfOwner = async (): Promise<unknown> => {
      const [row] = await lab.owner().query('SELECT @@server_id AS id');
      return row?.id;
    };
    const idSeenBy = async (on: Pick<AdapterStatements, 'raw'>): Promise<unknown> =>
      (await on.raw('SELECT @@server_id AS id'))[0]?.id;

    test('writes, reads, changes and deletes a row', async () => {
      const adapter = await openAdapter();
      expect(await adapter.item('pen')).toBeUndefined();
      await adapter.insertItem({ id: 'pen', qty: 3 });
      expect(await adapter.item('pen')).toEqual({ id: 'pen', qty: 3 });
      expect(await adapter.updateItem('pen', 4)).toBe(1);
      expect(await adapter.item('pen')).toEqual({ id: 'pen', qty: 4 });
      expect(await adapter.updateItem('none', 4)).toBe(0);
      expect(await adapter.deleteItem('pen')).toBe(1);
      expect(await adapter.deleteItem('pen')).toBe(0);
    });

    test('counts rows that an update finds and leaves as they are', async () => {
      const adapter = await openAdapter();
      await adapter.insertItem({ id: 'pen', qty: 3 });
      expect(await adapter.updateItem('pen', 3)).toBe(contract.countsChanged === true ? 0 : 1);
    });

    test('writes values as they are, and reads them as it says', async () => {
      const adapter = await openAdapter();
      const values = { id: 'one', ...written };
      await adapter.insertTyped(values);
      const [onServer] = await lab.owner().query(asText, ['one']);
      expect(onServer).toEqual({
        big: '9007199254740993',
        amount: written.amount,
        moment: '2026-02-28T23:59:58.123000',
        bytes: '00FF275C0A',
        words: Buffer.from(written.words).toString('hex').toUpperCase(),
        first: 1,
        nothing: null,
      });
      expect(await adapter.typed('one')).toEqual(contract.typedAs(values));
    });

    test('commits a transaction as one', async () => {
      const adapter = await openAdapter();
      const result = await adapter.transaction(async (tx) => {
        await tx.insertItem({ id: 'a', qty: 1 });
        await tx.insertItem({ id: 'b', qty: 2 });
        expect(await tx.item('b')).toEqual({ id: 'b', qty: 2 });
        expect(await adapter.item('a')).toBeUndefined();
        return 'done';
      });
      expect(result).toBe('done');
      expect([await adapter.item('a'), await adapter.item('b')]).toEqual([
        { id: 'a', qty: 1 },
        { id: 'b', qty: 2 },
      ]);
    });

    test('rolls a transaction back whose work throws, and throws the same error', async () => {
      const adapter = await openAdapter();
      const why = new Error('undo it all');
      const error = await rejection(
        adapter.transaction(async (tx) => {
          await tx.insertItem({ id: 'a', qty: 1 });
          throw why;
        }),
      );
      expect(error).toBe(why);
      expect(await adapter.item('a')).toBeUndefined();
    });

    test('undoes a part of a transaction, where it has parts', async (context) => {
      const adapter = await openAdapter();
      await adapter.transaction(async (tx) => {
        if (tx.savepoint === undefined) return context.skip();
        await tx.insertItem({ id: 'whole', qty: 1 });
        const part = tx.savepoint(async (inner) => {
          await inner.insertItem({ id: 'part', qty: 1 });
          throw new Error('undo the part');
        });
        expect((await rejection(part)) as Error).toMatchObject({ message: 'undo the part' });
        await tx.savepoint((inner) => inner.insertItem({ id: 'kept', qty: 1 }).then());
      });
      expect(await adapter.item('part')).toBeUndefined();
      expect([await adapter.item('whole'), await adapter.item('kept')]).toEqual([
        { id: 'whole', qty: 1 },
        { id: 'kept', qty: 1 },
      ]);
    });

    test('says that a key is there already, and lets its transaction go on', async () => {
      const adapter = await openAdapter();
      await adapter.insertItem({ id: 'pen', qty: 1 });
      const check = (error: unknown): void => {
        const ours = vipsqlErrorIn(error);
        expect(ours).toMatchObject({ code: 'VIPSQL_DUPLICATE_KEY', outcome: 'statement-rolled-back' });
        if (contract.duplicateCode !== undefined) expect(codesIn(error)).toContain(contract.duplicateCode);
      };
      check(await rejection(adapter.insertItem({ id: 'pen', qty: 2 })));
      await adapter.transaction(async (tx) => {
        await tx.insertItem({ id: 'ink', qty: 1 });
        check(await rejection(tx.insertItem({ id: 'pen', qty: 2 })));
        await tx.updateItem('ink', 5);
      });
      expect(await adapter.item('ink')).toEqual({ id: 'ink', qty: 5 });
    });

    test('commits nothing after a deadlock, also when the error of it was swallowed', async () => {
      const adapter = await openAdapter();
      for (const id of ['1', '2']) await adapter.insertItem({ id, qty: 0 });
      let arrived = 0;
      const order = (first: string, second: string): Promise<void> =>
        adapter.transaction(async (tx) => {
          await tx.updateItem(first, 1);
          arrived += 1;
          await eventually('both', () => arrived >= 2);
          await tx.updateItem(second, 1).catch(() => undefined);
          await tx.insertLoad({ id: first, part: 1 }).catch(() => undefined);
        });
      const ends = await Promise.allSettled([order('1', '2'), order('2', '1')]);
      const failed = ends.filter((end) => end.status === 'rejected');
      expect(failed).toHaveLength(1);
      const why = failed[0]?.reason;
      if (contract.isRolledBack === undefined) {
        expect(vipsqlErrorIn(why)).toMatchObject({ code: 'VIPSQL_DEADLOCK', outcome: 'rolled-back' });
      } else {
        expect(contract.isRolledBack(why)).toBe(true);
      }
      expect(await lab.owner().query('SELECT part FROM lab.load_row')).toEqual([{ part: 1 }]);
    });

    test('reads rows one by one, and can be left, where it has streams', async (context) => {
      const db = openCluster(lab, { pool: { max: 1 } });
      const adapter = await adapterOn(db, { poolMax: 1 });
      if (adapter.items === undefined) return context.skip();
      const rows = Array.from({ length: 300 }, (_, i) => `('${String(i).padStart(4, '0')}', ${i})`);
      await lab.owner().query(`INSERT INTO lab.item VALUES ${rows.join(', ')}`);
      const seen: number[] = [];
      for await (const { qty } of adapter.items()) seen.push(qty);
      expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i));
      for await (const _ of adapter.items()) break;
      expect(await adapter.item('0007')).toEqual({ id: '0007', qty: 7 });
    });

    test('reads on a replica where it is told to, and writes nothing there', async () => {
      const adapter = await adapterOn(await openServing(lab, { primaryOnly: ['stock'] }));
      expect(await idSeenBy(adapter)).toBe(await idOfOwner());
      expect(await idSeenBy(adapter.replica)).not.toBe(await idOfOwner());
      const write = await rejection(adapter.replica.insertItem({ id: 'pen', qty: 1 }));
      expect(vipsqlErrorIn(write)).toMatchObject({
        code: 'VIPSQL_REPLICA_READ_ONLY',
        outcome: 'not-executed',
      });
      const stock = await rejection(adapter.replica.raw('SELECT qty FROM stock'));
      expect(vipsqlErrorIn(stock)).toMatchObject({ code: 'VIPSQL_PRIMARY_REQUIRED' });
      expect(await adapter.item('pen')).toBeUndefined();
    });

    test('shows within a session on a replica what it has written', async () => {
      const db = await openServing(lab);
      const adapter = await adapterOn(db);
      await lab.fault({ kind: 'stop-applier', server: 'r1' });
      const seen = await db.session(async () => {
        await adapter.insertItem({ id: 'one', qty: 1 });
        await adapter.transaction((tx) => tx.insertItem({ id: 'two', qty: 2 }).then());
        return [await adapter.replica.item('one'), await adapter.replica.item('two')];
      });
      expect(seen).toEqual([
        { id: 'one', qty: 1 },
        { id: 'two', qty: 2 },
      ]);
    });

    test('waits a bounded time when its connections are all in use, and goes on afterwards', async () => {
      const db = openCluster(lab, { pool: { max: 1 }, timeoutMs: 600 });
      const adapter = await adapterOn(db, { poolMax: 1, acquireMs: 600 });
      let free: () => void = () => {};
      const isFree = new Promise<void>((resolve) => {
        free = resolve;
      });
      let holds = false;
      const holding = adapter.transaction(async (tx) => {
        await tx.insertItem({ id: 'held', qty: 1 });
        holds = true;
        await isFree;
      });
      await eventually('the connection is held', () => holds);
      const error = await rejection(adapter.insertItem({ id: 'late', qty: 1 }));
      if (contract.isExhausted === undefined) {
        expect(vipsqlErrorIn(error)).toMatchObject({ code: 'VIPSQL_TIMEOUT', outcome: 'not-executed' });
      } else {
        expect(contract.isExhausted(error)).toBe(true);
      }
      free();
      await holding;
      expect(await adapter.item('held')).toEqual({ id: 'held', qty: 1 });
      expect(await adapter.item('late')).toBeUndefined();
    });

    test('stops a statement at its deadline, on the server too', async () => {
      const adapter = await openAdapter({ timeoutMs: 1_000 });
      const error = await rejection(adapter.raw(slow));
      expect(vipsqlErrorIn(error)).toMatchObject({ code: 'VIPSQL_TIMEOUT' });
      await eventually('it does not run any more', async () => (await runningSlow(lab)) === 0);
      await adapter.insertItem({ id: 'next', qty: 1 });
    });

    test('stops a statement that is cancelled, where it can be', async (context) => {
      const adapter = await openAdapter();
      if (adapter.cancellable === undefined) return context.skip();
      const controller = new AbortController();
      const ended = rejection(adapter.cancellable(slow, controller.signal));
      await eventually('it runs', async () => (await runningSlow(lab)) === 1);
      controller.abort();
      await ended;
      await eventually('it does not run any more', async () => (await runningSlow(lab)) === 0);
      await adapter.insertItem({ id: 'next', qty: 1 });
    });

    test('says that no primary answered', async () => {
      const adapter = await openAdapter({ timeoutMs: 1_500 });
      await adapter.insertItem({ id: 'before', qty: 1 });
      await lab.fault({ kind: 'refuse' });
      const error = await rejection(adapter.insertItem({ id: 'never', qty: 1 }));
      const ours = vipsqlErrorIn(error);
      expect(['VIPSQL_PRIMARY_UNAVAILABLE', 'VIPSQL_IN_DOUBT']).toContain(ours.code);
      const next = await rejection(adapter.insertItem({ id: 'next', qty: 1 }));
      expect(vipsqlErrorIn(next)).toMatchObject({
        code: 'VIPSQL_PRIMARY_UNAVAILABLE',
        outcome: 'not-executed',
      });
      await lab.fault({ kind: 'answer' });
      await adapter.insertItem({ id: 'later', qty: 1 });
      expect(await adapter.item('next')).toBeUndefined();
    });

    test('says when a COMMIT was sent and never answered', async () => {
      const db = openCluster(lab, { timeoutMs: 1_500, transactionTimeoutMs: 1_500 });
      const adapter = await adapterOn(db);
      const doubts = recordEvents(db, 'operation:in-doubt');
      const error = await rejection(
        adapter.transaction(async (tx) => {
          await tx.insertItem({ id: 'doubtful', qty: 1 });
          await lab.fault({ kind: 'black-hole' });
        }),
      );
      expect(vipsqlErrorIn(error)).toMatchObject({ code: 'VIPSQL_IN_DOUBT', outcome: 'unknown' });
      expect(doubts).toHaveLength(1);
    });

    test('takes no part in a transaction of the cluster, and says so', async () => {
      const db = openCluster(lab);
      const adapter = await adapterOn(db);
      const error = await rejection(
        db.transaction(() => adapter.insertItem({ id: 'outside', qty: 1 }).then()),
      );
      expect(vipsqlErrorIn(error)).toMatchObject({ code: 'VIPSQL_OUTSIDE_TRANSACTION' });
      expect(await adapter.item('outside')).toBeUndefined();
    });

    test('leaves the cluster open when it is closed', async () => {
      const db = openCluster(lab);
      const adapter = await adapterOn(db);
      await adapter.insertItem({ id: 'one', qty: 1 });
      await adapter.close();
      opened.splice(0);
      expect(await db.primary().value('SELECT qty FROM item')).toBe(1);
      expect(db.status()).toMatchObject({ running: 0, primary: { inUse: 0 } });
    });

    test('is waited for by a cluster that closes, and told so afterwards', async () => {
      const db = openCluster(lab);
      const adapter = await adapterOn(db);
      let closed: Promise<void> | undefined;
      await adapter.transaction(async (tx) => {
        await tx.insertItem({ id: 'one', qty: 1 });
        closed = db.close({ timeoutMs: 5_000 });
        await tx.updateItem('one', 2);
      });
      await closed;
      expect(await lab.owner().query('SELECT qty FROM lab.item')).toEqual([{ qty: 2 }]);
      expect(vipsqlErrorIn(await rejection(adapter.insertItem({ id: 'two', qty: 1 })))).toMatchObject({
        code: 'VIPSQL_CLOSED',
      });
    });

    test('writes nothing twice, loses nothing and hangs nowhere when the primary dies in the middle of a load', async () => {
      const db = openCluster(lab);
      const adapter = await adapterOn(db, { poolMax: 8 });
      const ends = await writeOverFailover(lab, db, {
        single: (id) => adapter.insertLoad({ id, part: 1 }),
        both: (id) =>
          adapter.transaction(async (tx) => {
            await tx.insertLoad({ id, part: 1 });
            await tx.insertLoad({ id, part: 2 });
          }),
      });
      await expectToldTrue(lab, 'lab.load_row', ends);
    });
  });
}

async function runningSlow(lab: Lab): Promise<number> {
  const [row] = await lab
    .owner()
    .query(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT COUNT(*) AS n FROM information_schema.columns%'",
    );
  return Number(row?.n);
}
