import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

const hourMs = 3_600_000;

/** The first purge of a process comes within five seconds of its first use of the ledger. */
const purgeWithinMs = 15_000;

/** Longer than the wait for a first purge. */
const quietMs = 6_000;

describe.each(labVendors)('the commit ledger on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await openCluster(lab).createLedger();
  });

  afterAll(() => lab?.stop());

  beforeEach(() => lab.owner().query('DELETE FROM lab.vipsql_commit'));

  const remember = async (name: string, hoursOld: number, doubtedOn: string | null = null): Promise<void> => {
    await lab
      .owner()
      .query(
        'INSERT INTO lab.vipsql_commit (id, owner, committed, created_at, doubted_on) VALUES (?, ?, 1, UTC_TIMESTAMP(6) - INTERVAL ? HOUR, ?)',
        [`key:${name}`, Buffer.alloc(16), hoursOld, doubtedOn],
      );
  };
  const names = async (): Promise<string[]> => {
    const rows = await lab
      .owner()
      .query<{ name: string }>('SELECT CONVERT(id USING latin1) AS name FROM lab.vipsql_commit ORDER BY id');
    return rows.map(({ name }) => name).filter((name) => name.startsWith('key:'));
  };
  const use = (config = {}) => {
    const db = openCluster(lab, { exactlyOnce: { retentionMs: hourMs }, ...config });
    return { db, used: db.transaction((tx) => tx.query('SELECT 1'), { exactlyOnce: true }) };
  };

  test('forgets what is older than its retention, and nothing else', async () => {
    await remember('young', 0);
    await remember('old', 2);
    await remember('doubted elsewhere', 2, 'db-b:3306 (another server)');
    const [self] = await lab
      .owner()
      .query<{ name: string }>(
        vendor === 'mysql'
          ? "SELECT CONCAT(@@hostname, ':', @@port, ' (', @@server_uuid, ')') AS name"
          : "SELECT CONCAT(@@hostname, ':', @@port, ' (server_id ', @@server_id, ')') AS name",
      );
    await remember('doubted here', 2, self?.name ?? '');
    await use().used;
    await eventually('the purge', async () => !(await names()).includes('key:old'), purgeWithinMs);
    expect(await names()).toEqual(['key:doubted elsewhere', 'key:young']);
  });

  test('takes more than a batch at once', async () => {
    const values = Array.from(
      { length: 1_234 },
      (_, i) => `('key:old-${i}', x'${'00'.repeat(16)}', 1, UTC_TIMESTAMP(6) - INTERVAL 2 HOUR)`,
    );
    await lab
      .owner()
      .query(`INSERT INTO lab.vipsql_commit (id, owner, committed, created_at) VALUES ${values.join(', ')}`);
    await use().used;
    await eventually('the purge', async () => (await names()).length === 0, purgeWithinMs);
  });

  test('is purged by one process at a time', async () => {
    await remember('old', 2);
    // Another process holds the lock of the purge, whose name hangs on the table alone.
    const lock = `vipsql-purge-${createHash('sha1').update('`lab`.`vipsql_commit`').digest('hex')}`;
    await lab.owner().query('SELECT GET_LOCK(?, 5) AS mine', [lock]);
    const { used } = use();
    await used;
    await sleep(quietMs);
    expect(await names()).toEqual(['key:old']);
    await lab.owner().query('SELECT RELEASE_LOCK(?) AS released', [lock]);
    await use().used;
    await eventually('the purge', async () => (await names()).length === 0, purgeWithinMs);
  });

  test('is not purged by those who do not use it, have closed, or have it switched off', async () => {
    await remember('old', 2);
    const idle = openCluster(lab, { exactlyOnce: { retentionMs: hourMs } });
    await idle.transaction((tx) => tx.query('SELECT 1'));
    await use({ exactlyOnce: { retentionMs: 0 } }).used;
    const { db, used } = use();
    await used;
    await db.close();
    await sleep(quietMs);
    expect(await names()).toEqual(['key:old']);
  });

  test('says so when it cannot be purged', async () => {
    await remember('old', 2);
    await lab.owner().query("CREATE USER 'keeper'@'%' IDENTIFIED BY 'keeper'");
    await lab.owner().query("GRANT SELECT, INSERT, UPDATE ON lab.vipsql_commit TO 'keeper'@'%'");
    const { db, used } = use({ user: 'keeper', password: 'keeper' });
    const failed = recordEvents(db, 'ledger:purge-failed');
    await used;
    await eventually('the event', () => failed.length > 0, purgeWithinMs);
    expect(failed[0]).toMatchObject({
      table: 'lab.vipsql_commit',
      message: expect.stringMatching(/DELETE command denied/),
    });
  });
});
