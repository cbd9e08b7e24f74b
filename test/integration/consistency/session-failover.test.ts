import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabServer, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Notes } from './notes.ts';

describe.each(labVendors)('a session over a failover on %s', (vendor) => {
  let lab: Lab;
  let notes: Notes;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 2, semiSync: false });
    notes = await Notes.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab.stop());

  const standby = (): LabServer => lab.master(lab.owner().name === 'a' ? 'b' : 'a');

  test('sees on replicas what it has written before and after', async () => {
    const db = await notes.open({ consistency: { waitMs: 3_000 } });
    const lost = recordEvents(db, 'position:lost');
    await db.session(async () => {
      const before = await notes.write(db);
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      await eventually('the new epoch', () => db.status().primary.epoch === 2);
      expect((await notes.read(db, before)).found).toBe(true);
      const after = await notes.write(db);
      for (const id of [before, after]) {
        const { found, server } = await notes.read(db, id);
        expect(found).toBe(true);
        expect(notes.replicas).toContain(server);
      }
    });
    expect(lost).toEqual([]);
  });

  test('is served by a replica while the primary is away', async () => {
    const db = await notes.open();
    await notes.stopAppliers(lab.server('r2'));
    await db.session(async () => {
      const id = await notes.write(db);
      const place = await notes.read(db, id);
      await lab.fault({ kind: 'black-hole' });
      await eventually('the interruption', () => db.status().primary.state === 'interrupted');
      expect(await notes.read(db, id)).toEqual({ found: true, server: place.server });
    });
  });

  test('waits while the primary is away for a replica that is behind', async () => {
    const db = await notes.open({ consistency: { waitMs: 100 } });
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const id = await notes.write(db);
      // Its replicas have received it, so that they can get there without the primary.
      await eventually('r1 has received it', () => hasReceived(lab.server('r1')));
      await lab.fault({ kind: 'black-hole' });
      await eventually('the interruption', () => db.status().primary.state === 'interrupted');
      const read = notes.read(db, id, { timeoutMs: 20_000 });
      await eventually('somebody waits', async () => (await waiting(lab.server('r1'))) > 0);
      await notes.startAppliers(lab.server('r1'));
      expect(await read).toEqual({ found: true, server: lab.server('r1').address });
    });
  });

  test('is told of what went with the old primary once, and goes on', async () => {
    const db = await notes.open({ consistency: { waitMs: 200 }, failover: { catchUpMs: 100 } });
    const lost = recordEvents(db, 'position:lost');
    const old = lab.owner();
    await db.session(async () => {
      const kept = await notes.write(db);
      await eventually('the standby has it', async () => (await rows(standby(), kept)) === 1);
      for (const { name } of [standby(), ...lab.replicas]) {
        await lab.fault({ kind: 'stop-receiver', server: name });
      }
      const gone = await notes.write(db);
      await lab.fault({ kind: 'kill', server: old.name });
      await lab.fault({ kind: 'failover' });
      await eventually('the new epoch', () => db.status().primary.epoch === 2);
      expect(await notes.read(db, gone)).toEqual({ found: false, server: notes.primary });
      expect(lost).toMatchObject([{ epoch: 2, missing: expect.stringMatching(/\d/) }]);
      await Promise.all(Array.from({ length: 5 }, () => notes.read(db, gone)));
      for (const { name } of lab.replicas) await lab.fault({ kind: 'start-receiver', server: name });
      await eventually('replicas serve it again', async () => {
        const { found, server } = await notes.read(db, await notes.write(db));
        expect(found).toBe(true);
        return notes.replicas.includes(server);
      });
    });
    expect(lost).toHaveLength(1);
  });

  test('is served by the earlier primary, which is a replica now, what it wrote there', async () => {
    const old = lab.owner();
    const db = await notes.open({ replicas: lab.masters.map(({ address }) => address) });
    await db.session(async () => {
      const id = await notes.write(db);
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      await eventually('the new epoch', () => db.status().primary.epoch === 2);
      await eventually('the old one serves', async () => (await notes.read(db, id)).server === old.address);
      expect(await notes.read(db, id)).toEqual({ found: true, server: old.address });
    });
  });

  test('is served by an earlier primary even where replication does not tell what it wrote itself', async ({
    skip,
  }) => {
    skip(vendor === 'mysql', 'gtid_executed has what a server wrote itself');
    const old = lab.owner();
    const db = await notes.open({
      replicas: lab.masters.map(({ address }) => address),
      consistency: { waitMs: 200 },
    });
    const { id, token } = await db.session(async () => ({ id: await notes.write(db), token: db.token() }));
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    await eventually('the new epoch', () => db.status().primary.epoch === 2);
    await notes.write(db);
    await eventually('it replicates', async () =>
      (await position(old)).includes(`${lab.owner().name === 'a' ? 1 : 2}-`),
    );
    await old.query('STOP SLAVE');
    const foreign = (await position(old))
      .split(',')
      .filter((entry) => !entry.startsWith(old.name === 'a' ? '1-' : '2-'))
      .join(',');
    await old.query('SET GLOBAL gtid_strict_mode = OFF');
    await old.query(`SET GLOBAL gtid_slave_pos = '${foreign}'`);
    await old.query('SET GLOBAL gtid_strict_mode = ON');
    const [row] = await old.query<{ w: number }>(
      `SELECT MASTER_GTID_WAIT(@@GLOBAL.gtid_binlog_pos, 0.2) AS w`,
    );
    expect(row?.w).toBe(-1);
    expect(await notes.read(db, id, { after: token })).toEqual({ found: true, server: old.address });
  });

  async function position(server: LabServer): Promise<string> {
    const [row] = await server.query<{ p: string }>('SELECT @@GLOBAL.gtid_slave_pos AS p');
    return row?.p ?? '';
  }

  async function rows(server: LabServer, id: number): Promise<number> {
    const [row] = await server.query<{ n: number }>('SELECT COUNT(*) AS n FROM lab.notes WHERE id = ?', [id]);
    return Number(row?.n);
  }

  async function hasReceived(server: LabServer): Promise<boolean> {
    if (vendor === 'mysql') {
      const [row] = await server.query<{ Retrieved_Gtid_Set: string }>('SHOW REPLICA STATUS');
      const [held] = await lab
        .owner()
        .query<{ n: number }>('SELECT GTID_SUBSET(@@GLOBAL.gtid_executed, ?) AS n', [
          `${row?.Retrieved_Gtid_Set},${await executed(server)}`,
        ]);
      return held?.n === 1;
    }
    const [row] = await server.query<{ Gtid_IO_Pos: string }>('SHOW SLAVE STATUS');
    const [owner] = await lab.owner().query<{ p: string }>('SELECT @@GLOBAL.gtid_binlog_pos AS p');
    return row?.Gtid_IO_Pos === owner?.p;
  }

  async function executed(server: LabServer): Promise<string> {
    const [row] = await server.query<{ p: string }>('SELECT @@GLOBAL.gtid_executed AS p');
    return row?.p ?? '';
  }

  async function waiting(server: LabServer): Promise<number> {
    const [row] = await server.query<{ n: number }>(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ? AND info LIKE 'SELECT %WAIT%'",
      [lab.user],
    );
    return Number(row?.n);
  }
});
