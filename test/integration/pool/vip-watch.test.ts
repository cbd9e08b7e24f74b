import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabServer, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection, sleep } from '../../support/cluster.ts';
import { statusNumber } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

let lab: Lab;

beforeAll(async () => {
  // Where this was not given at the start, it cannot be changed later.
  lab = await startLab({ replicas: 0, redis: false, serverOptions: ['--max-user-connections=400'] });
  await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY, n INT NOT NULL DEFAULT 0)');
  await lab.heal();
});

afterEach(() => lab.heal());

afterAll(() => lab.stop());

/** The master that does not hold the VIP. */
const standby = (): LabServer => lab.master(lab.owner().name === 'a' ? 'b' : 'a');

describe('a heartbeat that comes late', () => {
  test('interrupts nothing while the server is busy and answers on other connections', async () => {
    const db = openCluster(lab, { pool: { max: 8 } });
    const interrupted = recordEvents(db, 'primary:interrupted');
    await db.ready();
    let answers = 0;
    let busy = true;
    const burn = Array.from({ length: 4 }, async () => {
      while (busy) await db.primary().query("SELECT BENCHMARK(500000, SHA2('busy', 512))");
    });
    const ask = Array.from({ length: 4 }, async () => {
      while (busy) {
        await db.primary().query('SELECT 1');
        answers += 1;
      }
    });
    await sleep(4_000);
    busy = false;
    await Promise.all([...burn, ...ask]);
    expect(answers).toBeGreaterThan(10);
    expect(interrupted).toEqual([]);
    expect(db.status().primary).toMatchObject({ state: 'open', epoch: 1 });
  });

  test('interrupts nothing while only the watch is unheard, however long, and even without a new login', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: proxy.address, failover: { heartbeatMs: 100 } });
    const interrupted = recordEvents(db, 'primary:interrupted');
    await db.ready();
    await db.primary().query('SELECT 1');
    proxy.all[0]?.silence();
    proxy.manner = 'hold';
    const began = performance.now();
    while (performance.now() - began < 2_500) await db.primary().query('SELECT 1');
    expect(interrupted).toEqual([]);
    proxy.release();
    await eventually('the end of the silent one', () => proxy.all[0]?.open === false);
    expect(interrupted).toEqual([]);
    expect(await db.primary().value('SELECT 1')).toBe(1);
  });

  test('interrupts the primary when nobody else hears it either, and its return resumes the epoch', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: proxy.address, failover: { heartbeatMs: 100 } });
    const interrupted = recordEvents(db, 'primary:interrupted');
    const resumed = recordEvents(db, 'primary:resumed');
    await db.ready();
    const silentAt = performance.now();
    proxy.manner = 'hold';
    for (const connection of proxy.open) connection.silence();
    await eventually('the interruption', () => interrupted.length === 1);
    expect((interrupted[0]?.at ?? 0) - silentAt).toBeLessThan(1_500);
    expect(interrupted[0]).toMatchObject({ reason: 'unanswered' });
    proxy.release();
    await eventually('the resumption', () => resumed.length === 1);
    expect(db.status().primary.epoch).toBe(1);
  });
});

describe('a primary that resumes', () => {
  test('is not told again to be too small for the pool', async () => {
    const { name } = lab.owner();
    const db = openCluster(lab, { pool: { max: 600, min: 0 } });
    const tooLarge = recordEvents(db, 'pool:too-large');
    const resumed = recordEvents(db, 'primary:resumed');
    await db.ready();
    await lab.fault({ kind: 'read-only', server: name, on: true });
    await eventually('the interruption', () => db.status().primary.state === 'interrupted');
    await lab.fault({ kind: 'read-only', server: name, on: false });
    await eventually('the resumption', () => resumed.length === 1);
    expect(tooLarge).toHaveLength(1);
  });
});

describe('a stranger met by a connection of the pool', () => {
  test('opens the new epoch at once, while every older connection still answers', async () => {
    const [before, after] = [lab.owner(), standby()];
    await lab.fault({ kind: 'read-only', server: after.name, on: false });
    await using proxy = await TcpProxy.start(before);
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 5, min: 0 } });
    const epochs = recordEvents(db, 'epoch:opened');
    const interrupted = recordEvents(db, 'primary:interrupted');
    await db.ready();
    await db.primary().query('SELECT 1');
    const old = proxy.open;
    expect(old).toHaveLength(2);

    proxy.target = after;
    await sleep(300);
    expect(epochs).toHaveLength(1);
    const dialledAt = performance.now();
    // The first takes the connection that is there, the second has to open one.
    const ids = await Promise.all(
      Array.from({ length: 2 }, () =>
        db.primary().query('SELECT @@server_id AS id, SLEEP(0.2)', [], { idempotent: true }),
      ),
    );
    expect(epochs).toHaveLength(2);
    expect((epochs[1]?.at ?? 0) - dialledAt).toBeLessThan(1_500);
    expect(interrupted).toEqual([]);
    const [expected] = await after.query('SELECT @@server_id AS id');
    for (const [row] of ids) expect(row).toMatchObject({ id: expected?.id });
    await eventually('the end of the old ones', () => old.every(({ open }) => !open));
    // The one that met the stranger serves the watch, and each operation has one; nobody had to look again.
    expect(proxy.all.length - old.length).toBeLessThanOrEqual(3);
  });

  test('that takes no writes ends the epoch, and lets operations wait', async () => {
    const [before, after] = [lab.owner(), standby()];
    await using proxy = await TcpProxy.start(before);
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 5, min: 0 } });
    await db.ready();
    await db.primary().query('SELECT 1');
    proxy.target = after;
    const busy = rejection(db.primary().query('SELECT SLEEP(5)'));
    const writes = Array.from({ length: 3 }, (_, n) =>
      db.primary().execute('INSERT INTO t (id) VALUES (?)', [`stranger-${n}`], { idempotent: true }),
    );
    await eventually('the search', () => db.status().primary.state === 'searching');
    await lab.fault({ kind: 'read-only', server: after.name, on: false });
    for (const write of writes) expect((await write).epoch).toBe(2);
    expect(await busy).toMatchObject({ outcome: 'unknown', epoch: 1 });
  });
});

describe('a primary that is restarted in place', () => {
  test('is told by the second it began in, and within that by its connection ids', async () => {
    const { name } = lab.owner();
    const restart = async (): Promise<void> => {
      await lab.fault({ kind: 'kill', server: name });
      await lab.fault({ kind: 'start', server: name });
    };
    await restart();
    const db = openCluster(lab, { pool: { max: 10 } });
    const epochs = recordEvents(db, 'epoch:opened');
    await Promise.all(Array.from({ length: 10 }, () => db.primary().query('SELECT SLEEP(0.1)')));
    for (const epoch of [2, 3]) {
      await restart();
      await eventually(`epoch ${epoch}`, () => epochs.length === epoch);
      const calls = Array.from({ length: 10 }, () => db.primary().queryWithInfo('SELECT SLEEP(0.1)'));
      for (const info of await Promise.all(calls)) expect(info).toMatchObject({ epoch });
    }
  });
});

describe('a server that pauses while a new connection asks since when it lives', () => {
  test('is not taken for one that was restarted', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 3, min: 0 } });
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    let pauses = 0;
    proxy.keepBackMs = (chunk) => {
      if (!chunk.includes("= 'Uptime'") || pauses > 0) return 0;
      pauses += 1;
      return 3_500;
    };
    expect(await db.primary().value('SELECT 1')).toBe(1);
    expect(pauses).toBe(1);
    expect(epochs).toHaveLength(1);
  });
});

describe('proxied: true', () => {
  test('keeps the epoch over a move, ends the connections that are dead, and carries on', async () => {
    await using proxy = await TcpProxy.start(lab.owner());
    const after = standby();
    const db = openCluster(lab, {
      primary: { host: '127.0.0.1', port: proxy.port, proxied: true },
      pool: { max: 5, min: 2 },
    });
    const epochs = recordEvents(db, 'epoch:opened');
    const resumed = recordEvents(db, 'primary:resumed');
    await db.ready();
    const sleeper = rejection(db.primary().query('SELECT SLEEP(20)'));
    await Promise.all(Array.from({ length: 3 }, () => db.primary().query('SELECT SLEEP(0.05)')));
    await lab.fault({ kind: 'read-only', server: after.name, on: false });
    proxy.target = after;
    proxy.cut();
    expect(await sleeper).toMatchObject({ outcome: 'unknown' });
    await eventually('the resumption', () => resumed.length === 1);
    const [expected] = await after.query('SELECT @@server_id AS id');
    expect(await db.primary().query('SELECT @@server_id AS id')).toEqual([expected]);
    expect((await db.primary().execute("INSERT INTO t (id) VALUES ('proxied')")).epoch).toBe(1);
    expect(epochs).toHaveLength(1);
    expect(db.status().primary).toMatchObject({ epoch: 1, inUse: 0 });
  });

  test('ends connections that have fallen silent too, and loses no more than one wait over them', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, {
      primary: { host: '127.0.0.1', port: proxy.port, proxied: true },
      pool: { max: 5, min: 0 },
    });
    await db.ready();
    await Promise.all(Array.from({ length: 5 }, () => db.primary().query('SELECT SLEEP(0.05)')));
    for (const connection of proxy.open) connection.silence();
    await sleep(700);
    const began = performance.now();
    await Promise.all(
      Array.from({ length: 5 }, (_, n) =>
        db.primary().execute('INSERT INTO t (id) VALUES (?)', [`silent-${n}`]),
      ),
    );
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('sends no KILL: the control connection may lead elsewhere', async () => {
    const server = lab.owner();
    const before = await statusNumber(server, 'Com_kill');
    const db = openCluster(lab, { primary: { ...lab.vip, proxied: true } });
    await db.ready();
    const error = await rejection(db.primary().query('SELECT SLEEP(2)', [], { timeoutMs: 400 }));
    expect(error).toMatchObject({ outcome: 'unknown' });
    expect(await statusNumber(server, 'Com_kill')).toBe(before);
  });
});

describe('KILL', () => {
  test('QUERY goes to the server that runs the statement', async () => {
    const server = lab.owner();
    const before = await statusNumber(server, 'Com_kill');
    const db = openCluster(lab);
    await db.ready();
    await rejection(db.primary().query('SELECT SLEEP(20)', [], { timeoutMs: 400 }));
    expect(await statusNumber(server, 'Com_kill')).toBe(before + 1);
  });

  test('reaches each of many statements whose time runs out one after another', async () => {
    const server = lab.owner();
    const before = await statusNumber(server, 'Com_kill');
    const db = openCluster(lab, { pool: { max: 30 } });
    await db.ready();
    await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        rejection(db.primary().query('SELECT SLEEP(20)', [], { timeoutMs: 500 + n * 20 })),
      ),
    );
    expect(await statusNumber(server, 'Com_kill')).toBe(before + 30);
    await eventually('the end of every statement', async () => {
      const running = await server.query(
        "SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(20)%' AND info NOT LIKE '%processlist%'",
      );
      return running.length === 0;
    });
  });

  test('ends the session of a transaction whose line is lost, and its locks with it', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 3, min: 0 } });
    await lab.owner().query("INSERT IGNORE INTO lab.t (id) VALUES ('locked')");
    await db.ready();
    const transaction = rejection(
      db.transaction(
        async (tx) => {
          await tx.execute("UPDATE t SET n = n + 1 WHERE id = 'locked'");
          proxy.open.at(-1)?.silence();
          await tx.query('SELECT 1', [], { timeoutMs: 300 });
        },
        { retry: false },
      ),
    );
    expect(await transaction).toMatchObject({ outcome: 'rolled-back' });
    const began = performance.now();
    await lab.owner().query("UPDATE lab.t SET n = 10 WHERE id = 'locked'");
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('is not sent when another server has taken over while it waited for its turn', async () => {
    const [before, after] = [lab.owner(), standby()];
    await lab.fault({ kind: 'read-only', server: after.name, on: false });
    const kills = await statusNumber(after, 'Com_kill');
    await using proxy = await TcpProxy.start(before);
    const db = openCluster(lab, { primary: proxy.address, pool: { max: 3, min: 0 } });
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    const sleeper = rejection(db.primary().query('SELECT SLEEP(20)', [], { timeoutMs: 2_000 }));
    await sleep(200);
    // The heartbeat has no answer, and the KILL, due after 1.6 s, waits behind it.
    proxy.manner = 'hold';
    for (const connection of proxy.open) connection.silence();
    await sleep(1_550);
    proxy.target = after;
    proxy.release();
    await eventually('the second epoch', () => epochs.length === 2);
    await sleeper;
    await sleep(200);
    expect(await statusNumber(after, 'Com_kill')).toBe(kills);
  });
});

describe('an address that had refused logins', () => {
  test('is looked at again without delay once the primary is lost', async () => {
    const server = lab.owner();
    await server.query('SET GLOBAL max_user_connections = 1');
    const db = openCluster(lab, { pool: { max: 5, min: 0 } });
    const epochs = recordEvents(db, 'epoch:opened');
    await db.ready();
    // The watch has the only session; by then the next try is seconds away.
    const error = await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 2_200 }));
    expect(error).toMatchObject({
      outcome: 'not-executed',
      message: expect.stringMatching(/max_user_connections|takes no more/),
    });
    await lab.fault({ kind: 'kill', server: server.name });
    await lab.fault({ kind: 'failover', gapMs: 200, readOnlyMs: 50 });
    const movedAt = performance.now();
    expect(await db.primary().value('SELECT 1')).toBe(1);
    expect(performance.now() - movedAt).toBeLessThan(2_000);
    expect(epochs).toHaveLength(2);
  });
});
