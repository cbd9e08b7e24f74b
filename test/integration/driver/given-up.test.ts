import type { Connection as PooledConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPool } from '../../../src/adapters/mysql2/index.ts';
import type { Cluster, ClusterConfig } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { CommitGate } from '../../support/commit-gate.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { vipsqlErrorIn } from '../../support/wrapped-errors.ts';
import { openKnex } from '../knex/knex-lab.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';

/** A transaction of a library that holds its connection itself. */
interface Held {
  /** The session's id on its server. */
  readonly id: number;
  run(sql: string): Promise<unknown>;
  commit(): Promise<unknown>;
  /** Gives the connection back, whatever runs on it. */
  leave(): Promise<unknown>;
}

const libraries: readonly (readonly [string, (db: Cluster, timeoutMs?: number) => Promise<Held>])[] = [
  [
    'Knex',
    async (db, timeoutMs) => {
      const knex = openKnex(db, { pool: { min: 0, max: 1 } }, { timeoutMs });
      const trx = await knex.transaction();
      const connection = await trx.client.acquireConnection();
      return {
        id: connection.threadId,
        run: async (sql) => await trx.raw(sql),
        commit: () => trx.commit().then(() => trx.executionPromise),
        leave: () => knex.client.releaseConnection(connection),
      };
    },
  ],
  [
    'vipsql/mysql2',
    async (db, timeoutMs) => {
      const pool = createPool(db, { timeoutMs }).promise();
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      return {
        id: (connection as PooledConnection).threadId,
        run: (sql) => connection.query(sql),
        commit: () => connection.commit(),
        leave: async () => connection.destroy(),
      };
    },
  ],
];

describe.each(labVendors)('a session that is given up on %s', (vendor) => {
  let lab: Lab;
  let proxy: TcpProxy;
  let gate: CommitGate;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    await lab.owner().query('CREATE TABLE lab.account (id INT PRIMARY KEY, amount INT NOT NULL)');
    await lab.owner().query('INSERT INTO lab.account VALUES (1, 10), (2, 10)');
  });

  beforeEach(async () => {
    proxy = await TcpProxy.start(lab.vip);
    gate = new CommitGate(proxy);
  });

  afterEach(async () => {
    await proxy.stop();
    await lab.heal();
  });

  afterAll(() => lab?.stop());

  const open = (config: Partial<ClusterConfig> = {}): Cluster =>
    openCluster(lab, { primary: proxy.address, ...config });

  const lives = async (id: number): Promise<boolean> => {
    const rows = await lab.owner().query('SELECT id FROM information_schema.processlist WHERE id = ?', [id]);
    return rows.length > 0;
  };

  /** Nobody else would have ended it: the proxy tells the server nothing. */
  const expectEnd = async ({ id }: Held): Promise<void> => {
    await eventually(`the end of session ${id}`, async () => !(await lives(id)));
    await lab.owner().query('SET innodb_lock_wait_timeout = 2');
    await lab.owner().query('UPDATE lab.account SET amount = amount + 1');
  };

  /** From now on nothing passes to or from the session, not even its end. */
  const silence = ({ id }: Pick<Held, 'id'>): void => {
    const connection = proxy.all.find((each) => each.loggedIn && each.received.includes('UPDATE account'));
    if (connection === undefined) throw new Error(`no connection of session ${id}`);
    connection.silence();
  };

  test('by connection(fn) ends, and frees its locks', async () => {
    const db = open();
    let id = 0;
    const lost = rejection(
      db.primary().connection(async (connection) => {
        id = connection.id;
        await connection.query("SELECT GET_LOCK('mine', 0)");
        await connection.execute('UPDATE account SET amount = amount');
        silence({ id });
        await connection.query('SELECT 1', [], { timeoutMs: 500 });
      }),
    );
    expect(await lost).toMatchObject({ code: 'VIPSQL_TIMEOUT' });
    await eventually('its end', async () => !(await lives(id)));
    expect(await lab.owner().query("SELECT IS_FREE_LOCK('mine') AS free")).toMatchObject([{ free: 1 }]);
  });

  describe.each(libraries)('by %s', (_name, begin) => {
    test('ends when its COMMIT did not arrive', async () => {
      const held = await begin(open());
      await held.run('UPDATE account SET amount = 0 WHERE id = 1');
      gate.steal(() => 'question');
      const error = await rejection(held.commit());
      expect(vipsqlErrorIn(error)).toMatchObject({ code: 'VIPSQL_IN_DOUBT', outcome: 'unknown' });
      await expectEnd(held);
      await held.leave();
    });

    test('ends when its COMMIT stands still and is not answered', async () => {
      const held = await begin(open(), 1_500);
      await held.run('UPDATE account SET amount = 0 WHERE id = 1');
      gate.steal(() => 'silence');
      await lab.owner().query('FLUSH TABLES WITH READ LOCK');
      const began = performance.now();
      const error = await rejection(held.commit());
      expect(performance.now() - began).toBeLessThan(2_500);
      expect(vipsqlErrorIn(error)).toMatchObject({ code: 'VIPSQL_IN_DOUBT', outcome: 'unknown' });
      await eventually('its end', async () => !(await lives(held.id)));
      await lab.owner().query('UNLOCK TABLES');
      await expectEnd(held);
      await held.leave();
    });

    test('ends when a statement of its transaction is not answered', async () => {
      const held = await begin(open(), 1_500);
      await held.run('UPDATE account SET amount = 0 WHERE id = 1');
      silence(held);
      const began = performance.now();
      await rejection(held.run('UPDATE account SET amount = 0 WHERE id = 2'));
      expect(performance.now() - began).toBeLessThan(2_500);
      await expectEnd(held);
      await held.leave();
    });

    test('ends when it is left with its transaction open', async () => {
      const held = await begin(open());
      await held.run('UPDATE account SET amount = 0 WHERE id = 1');
      silence(held);
      await held.leave();
      await expectEnd(held);
    });

    test('keeps nobody waiting when the server cannot be told', async () => {
      const db = open();
      const held = await begin(db, 1_500);
      await held.run('UPDATE account SET amount = 0 WHERE id = 1');
      await lab.fault({ kind: 'black-hole' });
      const began = performance.now();
      await rejection(held.commit());
      expect(performance.now() - began).toBeLessThan(2_500);
      await held.leave();
      await db.close({ timeoutMs: 0 });
      expect(performance.now() - began).toBeLessThan(3_500);
    });
  });
});
