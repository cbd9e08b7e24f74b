import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';
import { RoundRobinRelay } from '../replicas/relay.ts';
import { Notes } from './notes.ts';

describe.each(labVendors)('sessions on %s, where something is missing', (vendor) => {
  let lab: Lab;
  let notes: Notes;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 2 });
    notes = await Notes.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab.stop());

  test('read on the primary where writes do not tell their position, and say so once', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const [hidden, unknown] =
      vendor === 'mysql' ? ['session_track_gtids', 'session_track_xxxxx'] : ['last_gtid', 'last_xxxx'];
    proxy.rewrite = (chunk) => Buffer.from(chunk.toString('latin1').replace(hidden, unknown), 'latin1');
    const db = await notes.open({ primary: proxy.address, consistency: { waitMs: 5_000 } });
    const unavailable = recordEvents(db, 'positions:unavailable');
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      for (let i = 0; i < 3; i += 1) {
        expect(await notes.read(db, await notes.write(db))).toEqual({
          found: true,
          server: `127.0.0.1:${proxy.port}`,
        });
      }
    });
    const { token } = await db.primary().execute('DELETE FROM notes WHERE id = 1');
    expect(token).toBeUndefined();
    expect(unavailable).toMatchObject([{ remedy: expect.stringContaining('sessions that have written') }]);
    await db.close();
  });

  test('are served by a balanced address only where the connection leads to a server that is there', async () => {
    await using relay = await RoundRobinRelay.start(lab.replicas);
    const port = Number(relay.address.split(':')[1]);
    const db = await notes.open({
      replicas: [{ host: '127.0.0.1', port, balanced: true }],
      pool: { min: 4, max: 8 },
      consistency: { waitMs: 200 },
    });
    const stale = await countStale(db);
    expect(stale).toBe(0);
    const { known, waited, fellBack } = db.status().consistency;
    expect(known + waited).toBeGreaterThan(fellBack);
    await notes.stopAppliers(lab.server('r1'));
    expect(await countStale(db)).toBe(0);
    // The check can fail: half of the connections lead to a server that is behind.
    const missed = await Promise.all(
      Array.from({ length: 20 }, async () => (await notes.read(db, await notes.write(db))).found),
    );
    expect(missed).toContain(false);
    await db.close();
  });

  /** Sessions that do not see what they have written, or see less than before. */
  async function countStale(db: Cluster): Promise<number> {
    let stale = 0;
    const session = async (): Promise<void> => {
      const id = await notes.write(db);
      let highest = 0;
      for (let n = 0; n < 4; n += 1) {
        if (!(await notes.read(db, id)).found) stale += 1;
        const last = Number(await db.replica().value('SELECT MAX(id) FROM notes'));
        if (last < highest) stale += 1;
        highest = last;
      }
    };
    await Promise.all(Array.from({ length: 12 }, () => db.session(session)));
    return stale;
  }
});

describe.each(labVendors.filter((vendor) => vendor === 'mysql'))('GTIDs that are off on %s', (vendor) => {
  test('leave sessions the primary, and are told of once', async () => {
    await using lab = await startLab({ vendor, replicas: 1, redis: false, semiSync: false });
    const notes = await Notes.create(lab);
    const servers = [...lab.masters, ...lab.replicas];
    for (const server of servers) {
      await server.query('STOP REPLICA');
      await server.query('CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0');
    }
    for (const mode of ['ON_PERMISSIVE', 'OFF_PERMISSIVE']) {
      for (const server of servers) await server.query(`SET GLOBAL gtid_mode = ${mode}`);
    }
    const db = await notes.open({ consistency: { waitMs: 5_000 } });
    const unavailable = recordEvents(db, 'positions:unavailable');
    await db.session(async () => {
      expect(await notes.read(db, await notes.write(db))).toEqual({ found: true, server: notes.primary });
      expect(await notes.read(db, await notes.write(db))).toEqual({ found: true, server: notes.primary });
    });
    await db.session(async () => {
      await db.primary().query('SELECT 1');
      expect((await notes.read(db, 0)).server).toBe(notes.primary);
    });
    expect((await notes.read(db, 0, { consistency: 'strong' })).server).toBe(notes.primary);
    expect(unavailable).toMatchObject([{ reason: 'its gtid_mode is OFF_PERMISSIVE' }]);
    expect((await notes.read(db, 0)).server).toBe(lab.server('r1').address);
    await db.close();
  });
});

describe.each(labVendors.filter((vendor) => vendor === 'mariadb'))(
  'one domain with two writers on %s',
  (vendor) => {
    test('does not let the progress of one stand for that of the other', async () => {
      await using lab = await startLab({
        vendor,
        replicas: 1,
        redis: false,
        semiSync: false,
        serverOptions: ['--gtid-domain-id=0', '--gtid-strict-mode=OFF'],
      });
      const notes = await Notes.create(lab);
      const [a, b] = lab.masters;
      const r1 = lab.server('r1');
      // r1 follows b, which does not hear of what a writes from now on.
      await r1.query('STOP SLAVE');
      await r1.query(`CHANGE MASTER TO MASTER_HOST='${b.host}', MASTER_PORT=${b.port}`);
      await r1.query('START SLAVE');
      await lab.fault({ kind: 'stop-receiver', server: 'b' });
      await lab.fault({ kind: 'read-only', server: 'b', on: false });
      const db = await notes.open({ consistency: { waitMs: 500 } });
      const id = notes.nextId();
      const { token } = await db.primary().execute('INSERT INTO notes (id) VALUES (?)', [id]);
      for (let i = 0; i < 5; i += 1) await b.query('INSERT INTO lab.notes (id) VALUES (?)', [1_000 + i]);
      await eventually('r1 is ahead by its number', async () => {
        const [row] = await r1.query<{ w: number }>('SELECT MASTER_GTID_WAIT(?, 0.05) AS w', [
          (await a.query<{ p: string }>('SELECT @@GLOBAL.gtid_binlog_pos AS p'))[0]?.p,
        ]);
        return row?.w === 0;
      });
      expect((await notes.read(db, id)).found).toBe(false);
      expect(await notes.read(db, id, { after: token })).toEqual({ found: true, server: notes.primary });
      await db.close();
    });
  },
);
