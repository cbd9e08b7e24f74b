import type { Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab, LabServer } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { eventually, sleep } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { failureOf, isPendingAfter, one, Sessions } from './sessions.ts';

describe.each(labVendors)('a fault on %s', (vendor) => {
  let lab: Lab;
  let sessions: Sessions;

  beforeAll(async () => {
    lab = await startLab({ vendor });
    sessions = new Sessions(lab);
    await lab.owner().query('CREATE TABLE lab.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40))');
    await lab.owner().query("INSERT INTO lab.t (v) VALUES ('first')");
  });
  afterEach(async () => {
    await lab.heal();
    sessions.closeAll();
  });
  afterAll(() => lab.stop());

  const insert = (connection: Connection, v: string): Promise<unknown> =>
    connection.query('INSERT INTO t (v) VALUES (?)', [v]);
  const serverId = async (connection: Connection): Promise<unknown> =>
    (await one(connection, 'SELECT @@server_id AS id')).id;
  const idOf = (server: LabServer): number => lab.masters.indexOf(server) + 1;
  const otherMaster = (): LabServer => lab.masters[lab.owner() === lab.masters[0] ? 1 : 0];

  it('kill ends connections and lets the VIP refuse new ones', async () => {
    const session = await sessions.connect();
    const running = failureOf(session.query('SELECT SLEEP(20)'));
    const { name, pid } = lab.owner();
    await lab.fault({ kind: 'kill', server: name });
    expect((await running).code).toMatch(/^(ECONNRESET|PROTOCOL_CONNECTION_LOST)$/);
    expect((await failureOf(sessions.connect())).code).toBe('ECONNREFUSED');
    expect(lab.owner().pid).toBeUndefined();
    await lab.fault({ kind: 'start', server: name });
    expect(lab.owner().pid).not.toBe(pid);
    const again = await sessions.connect();
    await insert(again, 'restarted in place');
    await lab.fault({ kind: 'freeze', server: otherMaster().name });
    const write = insert(again, 'waits for the standby as before');
    expect(await isPendingAfter(300, write)).toBe(true);
    await lab.fault({ kind: 'thaw', server: otherMaster().name });
    await write;
  });

  it('a server killed from outside makes the VIP refuse as well', async () => {
    process.kill(Number(lab.owner().pid), 'SIGKILL');
    await expect.poll(async () => (await failureOf(sessions.connect())).code).toBe('ECONNREFUSED');
  });

  it('stop announces the shutdown to a running query', async () => {
    const session = await sessions.connect();
    const running = failureOf(session.query('SELECT COUNT(*) FROM t WHERE SLEEP(30) = 0'));
    await lab.fault({ kind: 'stop', server: lab.owner().name });
    expect((await running).code).toMatch(
      /^(ER_SERVER_SHUTDOWN|PROTOCOL_CONNECTION_LOST|ER_QUERY_INTERRUPTED)$/,
    );
    expect((await failureOf(sessions.connect())).code).toBe('ECONNREFUSED');
  });

  it('freeze leaves connections open without an answer, and thaw executes what was sent meanwhile', async () => {
    const session = await sessions.connect();
    await lab.fault({ kind: 'freeze', server: lab.owner().name });
    const write = insert(session, 'sent to a frozen server');
    expect(await isPendingAfter(300, write)).toBe(true);
    expect((await failureOf(sessions.connect())).code).toBe('ETIMEDOUT');
    await lab.fault({ kind: 'thaw', server: lab.owner().name });
    await write;
  });

  it('failover after a freeze resets old connections, and thaw fences the old master', async () => {
    const old = lab.owner();
    const session = await sessions.connect();
    await lab.fault({ kind: 'freeze', server: old.name });
    const running = failureOf(session.query('SELECT 1'));
    await lab.fault({ kind: 'failover', gapMs: 100 });
    expect((await running).code).toBe('ECONNRESET');
    await insert(await sessions.connect(), 'after a freeze');
    await lab.fault({ kind: 'thaw', server: old.name });
    expect((await failureOf(insert(await sessions.connect(old), 'late'))).errno).toBe(1290);
  });

  it('failover gives the VIP silence, then a read-only master, then a writable one that waits for nobody', async () => {
    const survivor = otherMaster();
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    const done = lab.fault({ kind: 'failover', gapMs: 4_000, readOnlyMs: 1_500 });
    await eventually('the silence', async () => {
      return (await failureOf(sessions.connect(lab.vip, 300))).code === 'ETIMEDOUT';
    });
    const early = await untilItAnswers(() => sessions.connect(lab.vip, 100));
    expect(await serverId(early)).toBe(idOf(survivor));
    expect((await failureOf(insert(early, 'too early'))).errno).toBe(1290);
    await done;
    await insert(early, 'without the other master');
    expect(lab.owner()).toBe(survivor);
  });

  it('move-vip with reset ends old connections and fences the old master, which lives on', async () => {
    const old = lab.owner();
    const idle = await sessions.connect();
    const busy = await sessions.connect();
    const running = failureOf(busy.query('SELECT SLEEP(20)'));
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    expect((await running).code).toBe('ECONNRESET');
    await expect(idle.query('SELECT 1')).rejects.toThrow();
    expect(await serverId(await sessions.connect())).not.toBe(idOf(old));
    expect((await failureOf(insert(await sessions.connect(old), 'fenced'))).errno).toBe(1290);
    const left = await old.query(
      "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
    );
    expect(left).toEqual([]);
  });

  it('move-vip with silence leaves old connections without FIN, RST or answer, also when they are fenced', async () => {
    const idle = await sessions.connect();
    const busy = await sessions.connect();
    const running = busy.query('SELECT SLEEP(0.2)');
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    const next = idle.query('SELECT 1');
    expect(await Promise.all([isPendingAfter(800, running), isPendingAfter(800, next)])).toEqual([
      true,
      true,
    ]);
    await insert(await sessions.connect(), 'at the new master');
    await Promise.all([lab.heal(), failureOf(running), failureOf(next)]);
  });

  it('move-vip without a fence leaves two writable masters, and the sessions of the old one', async () => {
    const old = lab.owner();
    const holder = await sessions.connect();
    await holder.query('BEGIN');
    await insert(holder, 'in an open transaction');
    await lab.fault({ kind: 'move-vip', oldConnections: 'silent', fence: false });
    await insert(await sessions.connect(old), 'split brain');
    await insert(await sessions.connect(), 'at the new master');
    expect(await openTransactions(old)).toBe(1);
    await lab.heal();
    expect((await failureOf(insert(await sessions.connect(old), 'healed'))).errno).toBe(1290);
    // A killed session rolls back in its own time.
    await expect.poll(() => openTransactions(old)).toBe(0);
  });

  it('black-hole keeps connections silent and lets connects hang until the VIP answers again', async () => {
    const session = await sessions.connect();
    await lab.fault({ kind: 'black-hole' });
    const write = insert(session, 'held back');
    expect(await isPendingAfter(300, write)).toBe(true);
    const attempts = await Promise.all([1, 2, 3, 4, 5].map(() => failureOf(sessions.connect())));
    expect(attempts.map(({ code }) => code)).toEqual(Array(5).fill('ETIMEDOUT'));
    expect(await rowsWith(lab.owner(), 'held back')).toBe(0);
    await lab.fault({ kind: 'answer' });
    await write;
    await sessions.connect();
  });

  it('refuse resets connections and refuses new ones until the VIP answers again', async () => {
    const session = await sessions.connect();
    const running = failureOf(session.query('SELECT SLEEP(20)'));
    await lab.fault({ kind: 'refuse' });
    expect((await running).code).toBe('ECONNRESET');
    expect((await failureOf(sessions.connect())).code).toBe('ECONNREFUSED');
    await lab.fault({ kind: 'answer' });
    await insert(await sessions.connect(), 'accepted again');
  });

  it('read-only refuses writes on healthy connections', async () => {
    const session = await sessions.connect();
    await lab.fault({ kind: 'read-only', server: lab.owner().name, on: true });
    expect((await failureOf(insert(session, 'refused'))).errno).toBe(1290);
    await lab.fault({ kind: 'read-only', server: lab.owner().name, on: false });
    await insert(session, 'accepted');
  });

  it('stop-applier holds changes back on one replica', async () => {
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    await insert(await sessions.connect(), 'not on r1');
    await expect.poll(() => rowsWith(lab.server('r2'), 'not on r1')).toBe(1);
    await sleep(100);
    expect(await rowsWith(lab.server('r1'), 'not on r1')).toBe(0);
    await lab.fault({ kind: 'start-applier', server: 'r1' });
    await expect.poll(() => rowsWith(lab.server('r1'), 'not on r1')).toBe(1);
  });

  it('replicas follow the VIP to its new holder', async () => {
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    await lab.fault({ kind: 'failover', gapMs: 0 });
    await insert(await sessions.connect(), 'followed');
    for (const replica of lab.replicas) {
      await expect.poll(() => rowsWith(replica, 'followed'), { timeout: 8_000 }).toBe(1);
    }
  });

  it('redis can be killed, frozen and started', async () => {
    await lab.fault({ kind: 'kill', server: 'redis' });
    await lab.fault({ kind: 'start', server: 'redis' });
    await lab.fault({ kind: 'freeze', server: 'redis' });
    await lab.fault({ kind: 'thaw', server: 'redis' });
  });

  it.each([
    [{ kind: 'move-vip', to: 'a', oldConnections: 'reset' }, /a holds the VIP already/],
    [{ kind: 'kill', server: 'r7' }, /has no server r7; it has a, b, r1, r2/],
  ] as const)('%j is refused with a reason', async (fault, reason) => {
    if (lab.owner().name !== 'a') await lab.fault({ kind: 'move-vip', to: 'a', oldConnections: 'reset' });
    await expect(lab.fault(fault)).rejects.toThrow(reason);
  });

  it('failover to a dead master is refused', async () => {
    await lab.fault({ kind: 'kill', server: otherMaster().name });
    await expect(lab.fault({ kind: 'failover' })).rejects.toThrow(/is dead and cannot take the VIP/);
  });
});

async function rowsWith(server: LabServer, v: string): Promise<number | undefined> {
  const [row] = await server.query<{ n: number }>('SELECT COUNT(*) AS n FROM lab.t WHERE v = ?', [v]);
  return row?.n;
}

async function openTransactions(server: LabServer): Promise<number | undefined> {
  const [row] = await server.query<{ n: number }>(
    'SELECT COUNT(*) AS n FROM information_schema.innodb_trx JOIN information_schema.processlist ' +
      "ON id = trx_mysql_thread_id WHERE user = 'app'",
  );
  return row?.n;
}

async function untilItAnswers(attempt: () => Promise<Connection>): Promise<Connection> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await sleep(10);
    }
  }
}
