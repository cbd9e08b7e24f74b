import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ClosedError, type Cluster, type ClusterConfig, InDoubtError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('a write that may have taken effect on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.price (id INT PRIMARY KEY, cents INT NOT NULL)');
  });

  afterEach(() => lab.heal());

  afterAll(() => lab?.stop());

  const update = 'UPDATE price SET cents = 7 WHERE id = 1 AND SLEEP(0.5) = 0';

  /** Opens a cluster and begins the update there, which is on its way when this resolves. */
  async function begin(
    config: Partial<ClusterConfig> = {},
    write = (db: Cluster) => db.primary({ idempotent: true }).execute(update),
  ): Promise<{ db: Cluster; failed: Promise<unknown>; doubts: unknown[] }> {
    await lab.owner().query('REPLACE INTO lab.price VALUES (1, 1)');
    const db = openCluster(lab, { timeoutMs: 2_000, ...config });
    await db.ready();
    const doubts: unknown[] = [];
    db.on('operation:in-doubt', (doubt) => doubts.push(doubt));
    const failed = rejection(write(db));
    await eventually('the update runs', async () => (await running()).length > 0);
    return { db, failed, doubts };
  }

  const running = (): Promise<unknown[]> =>
    lab
      .owner()
      .query(
        "SELECT id FROM information_schema.processlist WHERE info LIKE 'UPDATE price%' AND info LIKE '%SLEEP%'",
      );

  async function expectDoubt(
    { failed, doubts }: { failed: Promise<unknown>; doubts: unknown[] },
    later: string,
  ): Promise<void> {
    const error = await failed;
    expect(error).toBeInstanceOf(InDoubtError);
    expect(error).toMatchObject({ outcome: 'unknown', cause: { code: later } });
    expect((error as Error).message).toContain('may have taken effect');
    expect((error as Error).message).not.toContain('pass idempotent');
    expect(doubts).toHaveLength(1);
    await eventually('the update has taken effect', async () => {
      const [row] = await lab.owner().query('SELECT cents FROM lab.price WHERE id = 1');
      return row?.cents === 7;
    });
  }

  test('stays in doubt when no primary answers any more', async () => {
    const begun = await begin();
    await lab.fault({ kind: 'refuse' });
    await expectDoubt(begun, 'VIPSQL_PRIMARY_UNAVAILABLE');
  });

  test('stays in doubt when the login is refused from then on', async () => {
    let { password } = lab;
    const begun = await begin({ password: () => password });
    password = 'another one';
    await lab.fault({ kind: 'refuse' });
    await lab.fault({ kind: 'answer' });
    await expectDoubt(begun, 'VIPSQL_CONNECT');
  });

  test('stays in doubt when nobody may wait for the next primary', async () => {
    const begun = await begin({ failover: { maxWaiting: 0 } });
    await lab.fault({ kind: 'refuse' });
    await expectDoubt(begun, 'VIPSQL_QUEUE_FULL');
  });

  test('stays in doubt when the cluster is closed', async () => {
    const begun = await begin();
    await begun.db.close({ timeoutMs: 0 });
    await expectDoubt(begun, 'VIPSQL_CLOSED');
  });

  test('is not called in doubt in a transaction, which ends with the cluster', async () => {
    const { db, failed } = await begin({}, (each) => each.transaction((tx) => tx.execute(update)));
    await db.close({ timeoutMs: 0 });
    const error = await failed;
    expect(error).toBeInstanceOf(ClosedError);
    expect(error).toMatchObject({ outcome: 'rolled-back' });
    expect((error as Error).message).not.toContain('nothing was sent');
  });
});
