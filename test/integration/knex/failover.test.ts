import type { Knex } from 'knex';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { expectToldTrue, writeOverFailover } from '../../support/load-over-failover.ts';
import { type KnexFailure, openKnex } from './knex-lab.ts';

describe.each(labVendors)('Knex on %s over a failover', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) NOT NULL, part INT NOT NULL)');
  });

  afterEach(async () => {
    await lab.heal();
    await lab.owner().query('DELETE FROM lab.t');
    await lab.heal();
  });

  afterAll(() => lab?.stop());

  /** How often each row is there. */
  async function counts(): Promise<Map<string, number>> {
    const rows = await lab.owner().query('SELECT id, COUNT(*) AS n FROM lab.t GROUP BY id');
    return new Map(rows.map(({ id, n }) => [String(id), Number(n)]));
  }

  test('in the middle of a load writes nothing twice, loses nothing, and hangs nowhere', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db, { pool: { min: 0, max: 8 } });
    const ends = await writeOverFailover(lab, db, {
      single: (id) => knex('t').insert({ id, part: 1 }).then(),
      both: (id) =>
        knex.transaction(async (trx) => {
          await trx('t').insert({ id, part: 1 });
          await trx('t').insert({ id, part: 2 });
        }),
    });
    await expectToldTrue(lab, 'lab.t', ends);
    for (const end of ends.values()) {
      if (end !== 'done') expect((end as KnexFailure).message).toMatch(/^(insert into|BEGIN|COMMIT)/);
    }
    expect(knex.client.pool.numUsed()).toBe(0);
  });

  test('sends what provably was not sent on the new primary, set up as before', async () => {
    const db = openCluster(lab);
    let made = 0;
    const knex = openKnex(db, {
      pool: {
        min: 0,
        max: 1,
        afterCreate(connection: Raw, done: (error: Error | null, connection: Raw) => void) {
          made += 1;
          connection.query('SET @made = ?', [made], (error) => done(error, connection));
        },
      },
    });
    // Borrowed before the failover and used after it, as happens to whoever comes at the wrong moment.
    const connection = await knex.client.acquireConnection();
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    const [[row]] = await knex.raw('SELECT @made AS made, @@server_id AS id').connection(connection);
    expect(row.made).toBe(2);
    expect([{ id: row.id }]).toEqual(await lab.owner().query('SELECT @@server_id AS id'));
    await knex.client.releaseConnection(connection);
    expect(knex.client.pool.numUsed()).toBe(0);
  });

  test('ends what was begun on a lost connection instead of going on elsewhere', async () => {
    const db = openCluster(lab);
    const knex = openKnex(db);
    const trx = await knex.transaction();
    await trx('t').insert({ id: 'lost', part: 1 });
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    await eventually('the second epoch', () => db.status().primary.epoch === 2);
    const error = (await rejection(trx('t').insert({ id: 'lost', part: 2 }).then())) as KnexFailure;
    expect(error.cause.code).toBe('VIPSQL_CONNECTION_LOST');
    const refused = (await rejection(trx.commit().then(() => trx.executionPromise))) as KnexFailure;
    expect(refused.cause.code).toBe('VIPSQL_CONNECTION_LOST');
    expect(await counts()).toEqual(new Map());
    expect(await knex('t').insert({ id: 'next', part: 1 })).toHaveLength(1);
  });

  test('waits for a primary until timeoutMs, and says that nobody answered', async () => {
    const db = openCluster(lab, { timeoutMs: 1_000 });
    const knex: Knex = openKnex(db);
    await knex.raw('SELECT 1');
    await lab.fault({ kind: 'refuse' });
    await eventually('no primary', () => db.status().primary.state !== 'open');
    const error = (await rejection(knex('t').insert({ id: 'never', part: 1 }).then())) as KnexFailure;
    expect(error.cause).toMatchObject({ code: 'VIPSQL_PRIMARY_UNAVAILABLE', outcome: 'not-executed' });
    await lab.fault({ kind: 'answer' });
    await knex('t').insert({ id: 'later', part: 1 });
    expect(await counts()).toEqual(new Map([['later', 1]]));
  });
});

interface Raw {
  query(sql: string, values: unknown[], callback: (error: Error | null) => void): void;
}
