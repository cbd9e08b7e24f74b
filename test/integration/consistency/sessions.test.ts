import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabServer, startLab } from '../../../src/testing/index.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Notes } from './notes.ts';

describe.each(labVendors)('a session on %s', (vendor) => {
  let lab: Lab;
  let notes: Notes;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 2 });
    notes = await Notes.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab.stop());

  const [r1, r2] = [() => lab.server('r1'), () => lab.server('r2')];

  test('sees on a replica what it has written, again and again', async () => {
    const db = await notes.open();
    await db.session(async () => {
      for (let i = 0; i < 20; i += 1) {
        const { found, server } = await notes.read(db, await notes.write(db));
        expect(found).toBe(true);
        expect(notes.replicas).toContain(server);
      }
    });
    const { known, waited, fellBack } = db.status().consistency;
    expect(known + waited).toBe(20);
    expect(fellBack).toBe(0);
  });

  test('passes over the replica that is behind', async () => {
    const db = await notes.open();
    await notes.stopAppliers(r1());
    for (let i = 0; i < 6; i += 1) {
      await db.session(async () => {
        expect(await notes.read(db, await notes.write(db))).toEqual({ found: true, server: r2().address });
      });
    }
    expect(db.status().consistency.fellBack).toBe(0);
  });

  test('waits for the replica that gets there in time', async () => {
    const db = await notes.open({ consistency: { waitMs: 5_000 } });
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const read = notes.read(db, await notes.write(db));
      await eventually('somebody waits', async () => (await waiting(r1())) > 0);
      await notes.startAppliers(r1());
      expect(await read).toEqual({ found: true, server: r1().address });
    });
    expect(db.status().consistency).toEqual({ known: 0, waited: 1, fellBack: 0, tooOld: 0 });
  });

  test('keeps one connection per server waiting, however many readers wait', async () => {
    const db = await notes.open({ consistency: { waitMs: 5_000 }, pool: { max: 5 } });
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const id = await notes.write(db);
      const reads = Array.from({ length: 40 }, () => notes.read(db, id));
      await eventually('somebody waits', async () => (await waiting(r1())) > 0);
      for (let look = 0; look < 20; look += 1) expect(await waiting(r1())).toBeLessThanOrEqual(1);
      // Whoever need not wait is not kept waiting.
      await db.replica().query('SELECT 1', [], { consistency: 'eventual', timeoutMs: 3_000 });
      await notes.startAppliers(...lab.replicas);
      for (const { found } of await Promise.all(reads)) expect(found).toBe(true);
    });
  });

  test('reads on the primary when no replica gets there, and waits in vain only once', async () => {
    const db = await notes.open({ consistency: { waitMs: 300 }, monitor: { intervalMs: 100 } });
    await notes.stopAppliers(...lab.replicas);
    const tookMs: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      await db.session(async () => {
        const id = await notes.write(db);
        const startedAt = performance.now();
        expect(await notes.read(db, id)).toEqual({ found: true, server: notes.primary });
        tookMs.push(performance.now() - startedAt);
      });
    }
    expect(tookMs[0]).toBeGreaterThan(250);
    expect(Math.min(...tookMs.slice(1))).toBeLessThan(250);
    expect(db.status().consistency).toEqual({ known: 0, waited: 0, fellBack: 4, tooOld: 0 });
    await notes.startAppliers(...lab.replicas);
    await eventually('a replica serves a session again', () =>
      db.session(async () => notes.replicas.includes((await notes.read(db, await notes.write(db))).server)),
    );
  });

  test('stays with the server of its last read', async () => {
    const db = await notes.open();
    const seen = new Set<string>();
    for (let i = 0; i < 20; i += 1) {
      await db.session(async () => {
        const { server } = await notes.read(db, 0);
        for (let n = 0; n < 5; n += 1) expect((await notes.read(db, 0)).server).toBe(server);
        seen.add(server);
      });
    }
    expect([...seen].sort()).toEqual([...notes.replicas].sort());
  });

  test('never sees less than before, when the server of its last read is lost and the other one is behind', async () => {
    const db = await notes.open({ consistency: { waitMs: 200 } });
    await notes.stopAppliers(r2());
    const id = notes.nextId();
    const { token } = await db.primary().execute('INSERT INTO notes (id) VALUES (?)', [id]);
    await db.session(async () => {
      await eventually(
        'it is read on r1',
        async () => (await notes.read(db, id, { after: token })).server === r1().address,
      );
      expect(await notes.read(db, id)).toEqual({ found: true, server: r1().address });
      await lab.fault({ kind: 'kill', server: 'r1' });
      expect(await notes.read(db, id)).toEqual({ found: true, server: notes.primary });
    });
  });

  test('goes to another replica as soon as that has what was seen on the last one', async () => {
    const db = await notes.open({ consistency: { waitMs: 5_000 } });
    await db.session(async () => {
      const { server } = await notes.read(db, 0);
      const [home, other] = server === r1().address ? [r1(), r2()] : [r2(), r1()];
      await notes.stopAppliers(home);
      const id = await notes.write(db);
      expect(await notes.read(db, id)).toEqual({ found: true, server: other.address });
      expect((await notes.read(db, id)).server).toBe(other.address);
    });
  });

  test('sees on a replica what it has seen on the primary, whoever wrote that', async () => {
    const [db, other] = [await notes.open({ consistency: { waitMs: 200 } }), await notes.open()];
    await notes.stopAppliers(...lab.replicas);
    const id = await notes.write(other);
    await db.session(async () => {
      expect((await notes.read(db, id)).found).toBe(false);
      expect(await db.primary().maybeOne('SELECT id FROM notes WHERE id = ?', [id])).toBeDefined();
      expect(await notes.read(db, id)).toEqual({ found: true, server: notes.primary });
    });
  });

  test('sees what a transaction of its own has committed, and the transaction has a token', async () => {
    const [db, other] = [await notes.open(), await notes.open({ consistency: { waitMs: 200 } })];
    await notes.stopAppliers(...lab.replicas);
    const id = notes.nextId();
    await db.session(async () => {
      const tx = await db.transaction(async (inner) => {
        const { token } = await inner.execute('INSERT INTO notes (id) VALUES (?)', [id]);
        expect(token).toBeUndefined();
        expect(inner.token).toBeUndefined();
        return inner;
      });
      expect((await notes.read(other, id)).found).toBe(false);
      expect(await notes.read(other, id, { after: tx.token })).toEqual({
        found: true,
        server: notes.primary,
      });
      expect((await notes.read(db, id)).found).toBe(true);
    });
  });

  test('sees its writes in streams and snapshots, and on a connection of its own', async () => {
    const db = await notes.open({ consistency: { waitMs: 100 } });
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const id = notes.nextId();
      await db.primary().connection(async (connection) => {
        await connection.execute('INSERT INTO notes (id) VALUES (?)', [id]);
      });
      const rows = await db.replica().stream('SELECT id FROM notes WHERE id = ?', [id]).toArray();
      expect(rows).toEqual([{ id }]);
      const seen = await db
        .replica()
        .snapshot((snapshot) => snapshot.maybeOne('SELECT id FROM notes WHERE id = ?', [id]));
      expect(seen).toEqual({ id });
    });
  });

  test('sees its writes from branches that run at the same time', async () => {
    const db = await notes.open();
    await db.session(async () => {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          for (let i = 0; i < 5; i += 1) {
            expect((await notes.read(db, await notes.write(db))).found).toBe(true);
          }
        }),
      );
    });
  });

  test('sees what was written with a statement that answers with rows', async ({ skip }) => {
    skip(vendor === 'mysql', 'MySQL has no RETURNING');
    const db = await notes.open({ consistency: { waitMs: 100 } });
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const id = notes.nextId();
      await db.primary().query('INSERT INTO notes (id) VALUES (?) RETURNING id', [id]);
      expect((await notes.read(db, id)).found).toBe(true);
    });
  });

  test('goes on in another cluster with its token', async () => {
    const settings = { consistency: { waitMs: 200 }, tokens: { secret: 'correct horse battery' } };
    const [db, other] = [await notes.open(settings), await notes.open(settings)];
    await notes.stopAppliers(...lab.replicas);
    const { id, token } = await db.session(async () => ({ id: await notes.write(db), token: db.token() }));
    expect((await notes.read(other, id)).found).toBe(false);
    await other.session(
      async () => {
        expect((await notes.read(other, id)).found).toBe(true);
      },
      { token },
    );
    expect((await notes.read(other, id, { after: token })).found).toBe(true);
    const { token: alone } = await db.primary().execute('UPDATE notes SET text = ? WHERE id = ?', ['x', id]);
    const text = await other
      .replica<{ text: string }>({ after: alone })
      .one('SELECT text FROM notes WHERE id = ?', [id]);
    expect(text).toEqual({ text: 'x' });
  });

  test('stays with the server of its last read in another cluster too', async () => {
    const [db, other] = [await notes.open(), await notes.open()];
    for (let i = 0; i < 10; i += 1) {
      const { server, token } = await db.session(async () => ({
        server: (await notes.read(db, 0)).server,
        token: db.token(),
      }));
      await other.session(
        async () => {
          expect((await notes.read(other, 0)).server).toBe(server);
        },
        { token },
      );
    }
  });

  test('may read whatever is there where it says so', async () => {
    const db = await notes.open();
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const id = await notes.write(db);
      expect((await notes.read(db, id, { consistency: 'eventual' })).found).toBe(false);
    });
  });

  test('is refused with a token that is broken', async () => {
    const db = await notes.open();
    const refused = { code: 'VIPSQL_INVALID_TOKEN', outcome: 'not-executed' };
    expect(await rejection(db.session(async () => 1, { token: "v1.'; DROP TABLE notes" }))).toMatchObject(
      refused,
    );
    expect(await rejection(notes.read(db, 1, { after: 'nonsense' }))).toMatchObject(refused);
  });

  test('without it a read may miss what was written just before', async () => {
    const db = await notes.open();
    await notes.stopAppliers(...lab.replicas);
    expect((await notes.read(db, await notes.write(db))).found).toBe(false);
  });

  test('fails rather than see less, where the primary may not stand in', async () => {
    const db = await notes.open({ consistency: { waitMs: 100 }, fallback: 'error' });
    await notes.stopAppliers(...lab.replicas);
    await db.session(async () => {
      const id = await notes.write(db);
      expect(await rejection(notes.read(db, id))).toMatchObject({
        code: 'VIPSQL_NO_REPLICA',
        message: expect.stringContaining('consistency.waitMs'),
      });
    });
  });

  /** Connections of the application that wait for a position on a server. */
  async function waiting(server: LabServer): Promise<number> {
    const [row] = await server.query<{ n: number }>(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ? AND info LIKE 'SELECT %WAIT%'",
      [lab.user],
    );
    return Number(row?.n);
  }
});

describe.each(labVendors)('a strong read on %s', (vendor) => {
  let lab: Lab;
  let notes: Notes;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 2 });
    notes = await Notes.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab.stop());

  test('sees what another process has written before it began', async () => {
    const [db, other] = [await notes.open(), await notes.open()];
    for (let i = 0; i < 20; i += 1) {
      const id = await notes.write(other);
      expect((await notes.read(db, id, { consistency: 'strong' })).found).toBe(true);
    }
    const { waited, fellBack } = db.status().consistency;
    expect(waited).toBeGreaterThan(0);
    expect(fellBack).toBeLessThan(20);
  });

  test('sees it on the primary when no replica gets there', async () => {
    const [db, other] = [await notes.open({ consistency: { waitMs: 100 } }), await notes.open()];
    await notes.stopAppliers(...lab.replicas);
    const id = await notes.write(other);
    expect((await notes.read(db, id)).found).toBe(false);
    const strong = { found: true, server: notes.primary };
    expect(await notes.read(db, id, { consistency: 'strong' })).toEqual(strong);
    const [row] = await db
      .replica({ consistency: 'strong' })
      .query('SELECT COUNT(*) AS n FROM notes WHERE id = ?', [id]);
    expect(row).toEqual({ n: 1 });
  });

  test('asks the primary together with others that begin at the same time', async () => {
    const db = await notes.open();
    await db.replica({ consistency: 'strong' }).query('SELECT 1');
    const before = await selects();
    await Promise.all(
      Array.from({ length: 100 }, () => db.replica({ consistency: 'strong' }).query('SELECT 1')),
    );
    // The heartbeat asks as well.
    expect((await selects()) - before).toBeLessThan(30);
    expect(db.status().consistency.fellBack).toBe(0);
  });

  /** Statements that the primary has answered. */
  async function selects(): Promise<number> {
    const [row] = await lab.owner().query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_select'");
    return Number(row?.Value);
  }
});
