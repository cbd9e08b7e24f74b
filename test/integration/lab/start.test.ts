import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab, LabServer } from '../../../src/testing/index.ts';
import { LabError, startLab } from '../../../src/testing/index.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { failureOf, isPendingAfter, one, Sessions } from './sessions.ts';

describe.each(labVendors)('a fresh lab on %s', (vendor) => {
  let lab: Lab;
  let sessions: Sessions;
  const lines: string[] = [];

  beforeAll(async () => {
    lab = await startLab({ vendor, onProgress: (line) => lines.push(line) });
    sessions = new Sessions(lab);
    await lab.owner().query('CREATE TABLE lab.item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))');
  });
  afterEach(() => sessions.closeAll());
  afterAll(() => lab.stop());

  it('has two masters and two replicas, all alive, and tells how starting went', () => {
    const servers = [...lab.masters, ...lab.replicas];
    expect(servers.map(({ name }) => name)).toEqual(['a', 'b', 'r1', 'r2']);
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(4);
    expect(lab.vendor).toBe(vendor);
    expect(lines.at(-1)).toMatch(/^replicating after \d+ ms/);
  });

  it('relays the VIP to master a, the only writable server', async () => {
    const vip = await sessions.connect();
    expect(await one(vip, 'SELECT @@server_id AS id')).toEqual({ id: 1 });
    expect(lab.owner()).toBe(lab.master('a'));
    const writable = await Promise.all([...lab.masters, ...lab.replicas].map(isWritable));
    expect(writable).toEqual([true, false, false, false]);
  });

  it('replicates from the primary to every other server', async () => {
    const vip = await sessions.connect();
    await vip.query("INSERT INTO item (name) VALUES ('hammer')");
    for (const server of [lab.master('b'), ...lab.replicas]) {
      await expect.poll(() => countOf(server, 'hammer')).toBe(1);
    }
  });

  it('replicates from b to a and to the replicas once b holds the VIP, with ids that do not clash', async () => {
    const vip = await sessions.connect();
    await vip.query("INSERT INTO item (name) VALUES ('odd')");
    await lab.fault({ kind: 'move-vip', to: 'b', oldConnections: 'reset' });
    const moved = await sessions.connect();
    await moved.query("INSERT INTO item (name) VALUES ('even')");
    for (const server of [lab.master('a'), ...lab.replicas]) {
      await expect.poll(() => countOf(server, 'even')).toBe(1);
    }
    const ids = await lab
      .owner()
      .query<{ odd: number }>("SELECT id % 2 AS odd FROM lab.item WHERE name IN ('odd', 'even') ORDER BY id");
    expect(ids.map(({ odd }) => odd)).toEqual([1, 0]);
    await lab.fault({ kind: 'move-vip', to: 'a', oldConnections: 'reset' });
  });

  it('keeps a commit waiting until the standby has it', async () => {
    const vip = await sessions.connect();
    await lab.fault({ kind: 'stop-receiver', server: 'b' });
    const write = vip.query("INSERT INTO item (name) VALUES ('alone')");
    expect(await isPendingAfter(300, write)).toBe(true);
    await lab.fault({ kind: 'start-receiver', server: 'b' });
    await write;
  });

  it('gives the application its schema, replication status and the processlist, and no way past read_only', async () => {
    const standby = await sessions.connect(lab.master('b'));
    const refusal = await failureOf(standby.query("INSERT INTO item (name) VALUES ('x')"));
    expect(refusal.errno).toBe(1290);
    await standby.query(vendor === 'mysql' ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS');
    const vip = await sessions.connect();
    await vip.query(vendor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
    const { users } = await one(
      vip,
      'SELECT COUNT(DISTINCT user) AS users FROM information_schema.processlist',
    );
    expect(Number(users)).toBeGreaterThan(1);
    expect((await failureOf(vip.query('CREATE DATABASE other'))).errno).toBe(1044);
    expect((await failureOf(vip.query('SET GLOBAL read_only = 0'))).errno).toBe(1227);
  });

  it('lets the application kill its own query', async () => {
    const victim = await sessions.connect();
    const killer = await sessions.connect();
    const sleeping = failureOf(victim.query('SELECT SLEEP(10) FROM item WHERE SLEEP(10) = 0'));
    const isRunning = async (): Promise<boolean> => {
      const { n } = await one(
        killer,
        "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(10)%'",
      );
      return Number(n) === 1;
    };
    await expect.poll(isRunning).toBe(true);
    await killer.query(`KILL QUERY ${victim.threadId}`);
    expect((await sleeping).errno).toBe(1317);
  });

  it('answers on Redis', async () => {
    const { hostname, port } = new URL(lab.redisUrl ?? '');
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => socket.write('PING\r\n'));
      socket.once('data', (chunk) => resolve(chunk.toString()));
      socket.once('data', () => socket.destroy());
      socket.once('error', reject);
    });
    expect(answer).toBe('+PONG\r\n');
  });
});

describe('startLab', () => {
  it('runs two labs side by side', async () => {
    const labs = await Promise.all([
      startLab({ replicas: 0, redis: false }),
      startLab({ replicas: 1, redis: false }),
    ]);
    try {
      const ids = await Promise.all(
        labs.map((lab) => lab.owner().query<{ id: number }>('SELECT CONNECTION_ID() AS id')),
      );
      expect(ids).toHaveLength(2);
      expect(new Set(labs.map(({ vip }) => `${vip.host}:${vip.port}`)).size).toBe(2);
      expect(labs.map(({ replicas }) => replicas.length)).toEqual([0, 1]);
      expect(labs.map(({ redisUrl }) => redisUrl)).toEqual([undefined, undefined]);
    } finally {
      await Promise.all(labs.map((lab) => lab.stop()));
    }
  });

  it('passes options to every server', async () => {
    await using lab = await startLab({ replicas: 1, redis: false, serverOptions: ['--max-connections=17'] });
    for (const server of [...lab.masters, ...lab.replicas]) {
      expect(await server.query('SELECT @@max_connections AS max')).toEqual([{ max: 17 }]);
    }
  });

  it('runs masters that do not wait for each other when semiSync is false', async () => {
    await using lab = await startLab({ replicas: 0, redis: false, semiSync: false });
    await lab.fault({ kind: 'kill', server: 'b' });
    await lab.owner().query('CREATE TABLE lab.alone (id INT PRIMARY KEY)');
  });

  it('degrades to asynchronous replication after semiSync.timeoutMs', async () => {
    await using lab = await startLab({ replicas: 0, redis: false, semiSync: { timeoutMs: 200 } });
    await lab.fault({ kind: 'kill', server: 'b' });
    const began = performance.now();
    await lab.owner().query('CREATE TABLE lab.alone (id INT PRIMARY KEY)');
    expect(performance.now() - began).toBeGreaterThan(150);
  });

  it('shows the end of the log of a server that does not start', async () => {
    const starting = startLab({ replicas: 0, redis: false, serverOptions: ['--no-such-option'] });
    await expect(starting).rejects.toThrow(/server [ab] ended while starting[\s\S]*no-such-option/);
  });

  it('refuses a program that is not the database asked for', async () => {
    const starting = startLab({ vendor: 'mysql', binaries: { mysqld: '/bin/echo' } });
    await expect(starting).rejects.toThrow(LabError);
  });
});

async function isWritable(server: LabServer): Promise<boolean> {
  const [row] = await server.query<{ readOnly: number }>('SELECT @@GLOBAL.read_only AS readOnly');
  return row?.readOnly === 0;
}

async function countOf(server: LabServer, name: string): Promise<number | undefined> {
  const [row] = await server.query<{ n: number }>('SELECT COUNT(*) AS n FROM lab.item WHERE name = ?', [
    name,
  ]);
  return row?.n;
}
