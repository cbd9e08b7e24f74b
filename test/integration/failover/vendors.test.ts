import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PrimaryUnavailableError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('the VIP on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY)');
    await lab.heal();
  });

  afterEach(() => lab.heal());

  afterAll(() => lab.stop());

  test('with a primary that is restarted in place opens a new epoch of the same server', async () => {
    const db = openCluster(lab);
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    const before = lab.owner();
    await lab.fault({ kind: 'kill', server: before.name });
    const write = db.primary().execute("INSERT INTO t (id) VALUES ('restarted')");
    await lab.fault({ kind: 'start', server: before.name });
    expect((await write).epoch).toBe(2);
    expect(lab.owner().name).toBe(before.name);
    expect(epochs).toHaveLength(2);
    expect(epochs[1]).toMatchObject({ server: epochs[0]?.server, previous: epochs[0]?.server });
  });

  test('that answers read-only after a move is waited out', async () => {
    const db = openCluster(lab);
    const interrupted = recordEvents(db, 'primary:interrupted');
    await db.ready();
    const moved = lab.fault({ kind: 'move-vip', oldConnections: 'reset', readOnlyMs: 1_500 });
    await eventually('a read-only answer', () => db.status().primary.state === 'searching');
    const write = db.primary().execute("INSERT INTO t (id) VALUES ('waited')");
    expect(await write).toMatchObject({ epoch: 2, affectedRows: 1 });
    await moved;
    expect(interrupted.length).toBeGreaterThan(0);
  });

  test('that stays read-only ends a write at its deadline, and the error says which server is', async () => {
    const db = openCluster(lab);
    await db.ready();
    const server = lab.owner().name;
    await lab.fault({ kind: 'read-only', server, on: true });
    const error = await rejection(
      db.primary().execute("INSERT INTO t (id) VALUES ('never')", [], { timeoutMs: 1_000 }),
    );
    expect(error).toBeInstanceOf(PrimaryUnavailableError);
    expect(error).toMatchObject({ code: 'VIPSQL_PRIMARY_UNAVAILABLE', outcome: 'not-executed' });
    expect((error as Error).message).toMatch(
      /^No writable primary answered within 1000 ms \(.+:3306 \(.+\) answers at the VIP and is read-only\)\. Nothing was executed\. Look at the VIP and the masters\.$/,
    );
    await lab.fault({ kind: 'read-only', server, on: false });
    expect(await db.primary().query("SELECT id FROM t WHERE id = 'never'")).toEqual([]);
  });

  test.each(['auto', 'bigint', 'string'] as const)(
    'is not taken for read-only with bigint: %s',
    async (bigint) => {
      const db = openCluster(lab, { bigint, failover: { heartbeatMs: 100 } });
      const interrupted = recordEvents(db, 'primary:interrupted');
      await db.ready();
      // Some heartbeats are answered meanwhile.
      await db.primary().query('SELECT SLEEP(1)');
      expect(interrupted.filter(({ reason }) => reason === 'read-only')).toEqual([]);
    },
  );
});
