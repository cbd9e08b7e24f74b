import { int, mysqlTable } from 'drizzle-orm/mysql-core';
import { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { drizzle } from '../../../src/adapters/drizzle/index.ts';
import { VipsqlDialect } from '../../../src/adapters/kysely/index.ts';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, rejection } from '../../support/cluster.ts';
import type { Theft } from '../../support/commit-gate.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { vipsqlErrorIn } from '../../support/wrapped-errors.ts';
import { gatedCluster } from './gated-cluster.ts';

interface Database {
  effect: { id: number };
}

const effect = mysqlTable('effect', { id: int().notNull() });

/** Writes a row in a transaction of its; resolves to what the closure gave, with the number of its runs. */
type Write = (id: number) => Promise<{ readonly result: string; readonly runs: number }>;

const kyselyWrites = (db: Cluster, exactlyOnce: boolean): Write => {
  const kysely = new Kysely<Database>({ dialect: new VipsqlDialect(db, { exactlyOnce }) });
  return async (id) => {
    let runs = 0;
    const result = await kysely.transaction().execute(async (trx) => {
      runs += 1;
      await trx.insertInto('effect').values({ id }).execute();
      return 'written';
    });
    return { result, runs };
  };
};

const controlledKyselyWrites = (db: Cluster, exactlyOnce: boolean): Write => {
  const kysely = new Kysely<Database>({ dialect: new VipsqlDialect(db, { exactlyOnce }) });
  return async (id) => {
    const trx = await kysely.startTransaction().execute();
    await trx.insertInto('effect').values({ id }).execute();
    await trx.commit().execute();
    return { result: 'written', runs: 1 };
  };
};

const drizzleWrites = (db: Cluster, exactlyOnce: boolean): Write => {
  const database = drizzle(db, { exactlyOnce });
  return async (id) => {
    let runs = 0;
    const result = await database.transaction(async (tx) => {
      runs += 1;
      await tx.insert(effect).values({ id });
      return 'written';
    });
    return { result, runs };
  };
};

const libraries = [
  ['Kysely', kyselyWrites],
  ['Kysely, controlled', controlledKyselyWrites],
  ['Drizzle', drizzleWrites],
] as const;

describe.each(labVendors)('a COMMIT whose answer is lost, on %s,', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    // Without a key: a row that is written twice is there twice.
    await lab.owner().query('CREATE TABLE lab.effect (id INT NOT NULL)');
  });

  beforeEach(() => lab.owner().query('DELETE FROM lab.effect'));
  afterAll(() => lab?.stop());

  const ids = async (): Promise<unknown[]> =>
    (await lab.owner().query('SELECT id FROM lab.effect ORDER BY id')).map(({ id }) => id);

  /** Loses the first COMMIT in one manner and lets the others pass. */
  const once = (theft: Theft) => {
    let left = 1;
    return (): Theft | undefined => (left-- > 0 ? theft : undefined);
  };

  describe.each(libraries)('of a transaction of %s', (_name, writes) => {
    test.each<Theft>(['answer', 'silence'])(
      'and that took place (%s), gives the result, with its effect there once',
      async (theft) => {
        await using gated = await gatedCluster(lab, { transactionTimeoutMs: 4_000 });
        const resolved = recordEvents(gated.db, 'commit:resolved');
        const write = writes(gated.db, true);
        gated.gate.steal(once(theft));
        expect(await write(1)).toEqual({ result: 'written', runs: 1 });
        expect(await ids()).toEqual([1]);
        expect(resolved).toMatchObject([{ committed: true }]);
        await write(2);
        expect(await ids()).toEqual([1, 2]);
      },
    );

    test.each<Theft>(['question', 'delay'])(
      'and that did not take place (%s), fails as rolled back, and can be done again',
      async (theft) => {
        await using gated = await gatedCluster(lab, { transactionTimeoutMs: 4_000 });
        const resolved = recordEvents(gated.db, 'commit:resolved');
        const doubts = recordEvents(gated.db, 'operation:in-doubt');
        const write = writes(gated.db, true);
        gated.gate.steal(once(theft));
        expect(vipsqlErrorIn(await rejection(write(1)))).toMatchObject({ outcome: 'rolled-back' });
        expect(resolved).toMatchObject([{ committed: false }]);
        expect(doubts).toEqual([]);
        expect(await ids()).toEqual([]);
        await write(1);
        expect(await ids()).toEqual([1]);
      },
    );

    test('is in doubt without exactlyOnce', async () => {
      await using gated = await gatedCluster(lab);
      const write = writes(gated.db, false);
      gated.gate.steal(once('answer'));
      const error = vipsqlErrorIn(await rejection(write(1)));
      expect(error).toMatchObject({ code: 'VIPSQL_IN_DOUBT', outcome: 'unknown' });
      await eventually('its effect', async () => (await ids()).length === 1);
    });

    test('many times in every manner, leaves what was acknowledged there once and nothing else', async () => {
      await using gated = await gatedCluster(lab);
      const write = writes(gated.db, true);
      const thefts: readonly Theft[] = ['answer', 'question', 'delay'];
      let turn = 0;
      gated.gate.steal(() => (turn++ < 24 ? thefts[turn % thefts.length] : undefined));
      const acknowledged: number[] = [];
      for (let id = 0; id < 32; id += 8) {
        await Promise.all(
          Array.from({ length: 8 }, async (_, i) => {
            const end = await write(id + i).catch((error: unknown) => vipsqlErrorIn(error));
            if ('outcome' in end) expect(end.outcome).toBe('rolled-back');
            else acknowledged.push(id + i);
          }),
        );
      }
      expect(await ids()).toEqual(acknowledged.sort((a, b) => a - b));
      expect(acknowledged.length).toBeGreaterThanOrEqual(16);
      expect(acknowledged.length).toBeLessThan(32);
    });
  });
});
