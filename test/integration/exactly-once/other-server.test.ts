import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterConfig, InDoubtError, LostServer } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { lostCommits, otherMaster, unacknowledgedCommits } from '../../support/lost-commits.ts';
import { type GatedCluster, gatedCluster } from './gated-cluster.ts';

const perRound = 5;

/** Loses the COMMITs of some orders at once; resolves when their clients know what became of them. */
async function lose(
  { db, gate, orders }: GatedCluster,
  fault: (loss: { lab: Lab; gate: GatedCluster['gate']; count: number }) => Promise<void>,
  { lab, key = false, timeoutMs = 20_000 }: { lab: Lab; key?: boolean; timeoutMs?: number },
): Promise<void> {
  gate.close();
  const placed = orders.place(db, perRound, { key, timeoutMs });
  await gate.holds(perRound);
  await fault({ lab, gate, count: perRound });
  await placed;
  expect(orders.unanswered).toBeGreaterThan(0);
}

/** No order is there twice, none that was acknowledged is missing, none is there that was reported as undone. */
async function verify(lab: Lab, { orders }: GatedCluster): Promise<{ placed: number; inDoubt: number }> {
  const { twice, lost, misreported, placed, inDoubt } = await orders.tally(lab);
  expect({ twice, lost, misreported }).toEqual({ twice: [], lost: [], misreported: [] });
  return { placed, inDoubt };
}

const open = (lab: Lab, config: Partial<ClusterConfig> = {}) =>
  gatedCluster(lab, { pool: { max: perRound + 2 }, ...config });

describe.each(labVendors)('a COMMIT whose answer is lost, on %s, with semi-sync', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
  });

  afterEach(() => lab.heal());

  afterAll(() => lab?.stop());

  test.each(Object.entries({ ...lostCommits, ...unacknowledgedCommits }))(
    '%s: every order is there once',
    async (_, fault) => {
      await using gated = await open(lab);
      await lose(gated, fault, { lab });
      expect(await verify(lab, gated)).toEqual({ placed: perRound, inDoubt: 0 });
      await lab.heal();
      expect(await verify(lab, gated)).toEqual({ placed: perRound, inDoubt: 0 });
    },
  );

  test('is resolved for callers with keys as well, and a repeat on the new primary is one', async () => {
    await using gated = await open(lab);
    const key = 'order-of-two-lives';
    const place = () =>
      gated.db.transaction(
        async (tx) => {
          await tx.execute("INSERT INTO orders (id) VALUES ('keyed')");
          return 'placed';
        },
        { exactlyOnce: { key } },
      );
    gated.gate.close();
    const first = place();
    await gated.gate.holds(1);
    await unacknowledgedCommits['unacknowledged, killed, other promoted']({
      lab,
      gate: gated.gate,
      count: 1,
    });
    expect(await first).toEqual({ done: false, result: 'placed' });
    expect(await place()).toEqual({ done: true, result: 'placed' });
    const rows = await lab.owner().query("SELECT id FROM lab.orders WHERE id = 'keyed'");
    expect(rows).toHaveLength(1);
  });

  test('keeps the ids that were in doubt, with the server that may still bring them', async () => {
    await using gated = await open(lab);
    await lab.owner().query('DELETE FROM lab.vipsql_commit');
    const port = `:${lab.owner().port} (`;
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab });
    const rows = await lab.owner().query<{ doubted_on: string }>('SELECT doubted_on FROM lab.vipsql_commit');
    expect(rows).toHaveLength(perRound);
    for (const row of rows) expect(row.doubted_on).toContain(port);
  });

  test('which the old primary commits after all stops replication, and applies nothing twice', async () => {
    await using gated = await open(lab);
    const old = lab.owner();
    gated.gate.close();
    const placed = gated.orders.place(gated.db, perRound);
    await gated.gate.holds(perRound);
    await lab.fault({ kind: 'freeze', server: old.name });
    gated.gate.open();
    await sleep(200);
    await lab.fault({ kind: 'failover', gapMs: 100, oldConnections: 'silent' });
    await placed;
    // The COMMITs have waited in the sockets of the old primary, which executes them now and replicates them.
    await lab.fault({ kind: 'thaw', server: old.name, fence: false });
    await eventually('the applier of the new primary to stop', async () => {
      const [status = {}] = await lab
        .owner()
        .query(vendor === 'mysql' ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS');
      return Number(status.Last_SQL_Errno) !== 0;
    });
    const [status = {}] = await lab
      .owner()
      .query(vendor === 'mysql' ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS');
    if (vendor === 'mariadb') expect(Number(status.Last_SQL_Errno)).toBe(1062);
    expect(String(status.Last_SQL_Error)).toMatch(/vipsql_commit|1062|worker/);
    expect(await verify(lab, gated)).toEqual({ placed: perRound, inDoubt: 0 });
  });

  test('stays in doubt when the account may not see who acknowledges', async () => {
    await lab.owner().query("CREATE USER 'blind'@'%' IDENTIFIED BY 'blind'");
    await lab.owner().query(`GRANT ALL ON ${lab.database}.* TO 'blind'@'%'`);
    const mayLook = vendor === 'mysql' ? 'REPLICATION CLIENT' : 'SLAVE MONITOR';
    await lab.owner().query(`GRANT ${mayLook} ON *.* TO 'blind'@'%'`);
    await lab.heal();
    await using gated = await open(lab, { user: 'blind', password: 'blind' });
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab });
    expect(await verify(lab, gated)).toEqual({ placed: 0, inDoubt: perRound });
    expect([...gated.orders.missingProofs]).toEqual([['other-acknowledger', perRound]]);
  });
});

describe.each(labVendors)('a COMMIT whose answer is lost, on %s, with a second acknowledger', (vendor) => {
  test('stays in doubt: the other one may have it', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false });
    const [replica] = lab.replicas;
    const word = vendor === 'mysql' ? 'replica' : 'slave';
    for (const statement of [
      `SET GLOBAL rpl_semi_sync_${word}_enabled = ON`,
      `STOP ${word} IO_THREAD`,
      `START ${word} IO_THREAD`,
    ]) {
      await replica?.query(statement);
    }
    await lab.heal();
    await eventually('two acknowledgers', async () => {
      const [row = {}] = await lab.owner().query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%_clients'");
      return Number(row.Value) === 2;
    });
    await using gated = await open(lab);
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab });
    expect(await verify(lab, gated)).toEqual({ placed: 0, inDoubt: perRound });
    expect([...gated.orders.missingProofs]).toEqual([['other-acknowledger', perRound]]);
  });
});

describe.each(labVendors)('a COMMIT whose answer is lost, on %s, with asynchronous replication', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
  });

  afterEach(() => lab.heal());

  afterAll(() => lab?.stop());

  test('is in doubt when the other master does not have it, and says which proof is missing', async () => {
    await using gated = await open(lab);
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab });
    expect(await verify(lab, gated)).toEqual({ placed: 0, inDoubt: perRound });
    expect([...gated.orders.missingProofs]).toEqual([['not-semi-synchronous', perRound]]);
  });

  test('is done when the other master has it', async () => {
    await using gated = await open(lab);
    const resolved = recordEvents(gated.db, 'commit:resolved');
    let stolen = 0;
    gated.gate.steal(() => {
      stolen += 1;
      return 'silence';
    });
    const placed = gated.orders.place(gated.db, perRound);
    await eventually('the COMMITs to have passed', () => stolen === perRound);
    await lab.fault({ kind: 'failover', gapMs: 300 });
    await placed;
    expect(await verify(lab, gated)).toEqual({ placed: perRound, inDoubt: 0 });
    expect(resolved.map(({ committed, epoch }) => ({ committed, epoch }))).toEqual(
      Array.from({ length: perRound }, () => ({ committed: true, epoch: 1 })),
    );
  });

  test('runs again when the caller vouches for the old primary', async () => {
    const asked: LostServer[] = [];
    await using gated = await open(lab, {
      exactlyOnce: {
        isFenced: async (server) => {
          asked.push(server);
          await sleep(50);
          return true;
        },
      },
    });
    const [old = {}] = await lab
      .owner()
      .query('SELECT @@server_id AS serverId, @@hostname AS hostname, @@port AS port');
    const resolved = recordEvents(gated.db, 'commit:resolved');
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab });
    expect(await verify(lab, gated)).toEqual({ placed: perRound, inDoubt: 0 });
    expect(resolved.map(({ committed }) => committed)).toEqual(Array.from({ length: perRound }, () => false));
    expect(asked).toHaveLength(perRound);
    expect(asked[0]).toMatchObject({ ...old, epoch: 1 });
  });

  test.each([
    ['does not', 'did not say that it is fenced', () => false],
    [
      'throws',
      'failed: the fencing service is down',
      () => {
        throw new Error('the fencing service is down');
      },
    ],
  ])('is in doubt when the caller %s', async (_, says, isFenced) => {
    await using gated = await open(lab, { exactlyOnce: { isFenced } });
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab });
    expect(await verify(lab, gated)).toEqual({ placed: 0, inDoubt: perRound });
    expect([...gated.orders.reasons].join()).toContain(`exactlyOnce.isFenced ${says}`);
  });

  test('is in doubt at the deadline when the caller never answers', async () => {
    await using gated = await open(lab, { exactlyOnce: { isFenced: () => new Promise<boolean>(() => {}) } });
    await lose(gated, lostCommits['frozen, killed, other promoted'], { lab, timeoutMs: 5_000 });
    expect(await verify(lab, gated)).toEqual({ placed: 0, inDoubt: perRound });
  });

  test('is in doubt when the new primary has not applied what it has received', async () => {
    await using gated = await open(lab);
    await gated.orders.place(gated.db, 1);
    await lab.heal();
    await lab.fault({ kind: 'stop-applier', server: otherMaster(lab).name });
    const errors: InDoubtError[] = [];
    let isStolen = false;
    gated.gate.steal(() => {
      isStolen = true;
      return 'silence';
    });
    const placed = gated.db
      .transaction((tx) => tx.execute("INSERT INTO orders (id) VALUES ('unapplied')"), {
        exactlyOnce: true,
        timeoutMs: 12_000,
      })
      .catch((error: InDoubtError) => {
        errors.push(error);
      });
    await eventually('the COMMIT to have passed', () => isStolen);
    await lab.fault({ kind: 'failover', gapMs: 300 });
    await placed;
    expect(errors.map(({ missingProof }) => missingProof)).toEqual(['not-applied']);
    await lab.fault({ kind: 'start-applier', server: lab.owner().name });
    await eventually('the order to be applied', async () => {
      const rows = await lab.owner().query("SELECT id FROM lab.orders WHERE id = 'unapplied'");
      return rows.length === 1;
    });
  });
});
