import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab, LabServer } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { isPendingAfter, Sessions } from './sessions.ts';

describe.each(labVendors)('heal on %s', (vendor) => {
  let lab: Lab;
  let sessions: Sessions;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false });
    sessions = new Sessions(lab);
    await lab.owner().query('CREATE TABLE lab.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40))');
  });
  afterEach(() => sessions.closeAll());
  afterAll(() => lab.stop());

  /** The rows of every server, which must be the same. */
  async function contents(): Promise<string> {
    const servers = [...lab.masters, ...lab.replicas];
    const rows = await Promise.all(
      servers.map((server) => server.query('SELECT id, v FROM lab.t ORDER BY id')),
    );
    const [first = [], ...others] = rows;
    for (const [index, other] of others.entries()) expect(other, servers[index + 1]?.name).toEqual(first);
    return JSON.stringify(first);
  }

  async function expectOneWriter(): Promise<void> {
    const servers = [...lab.masters, ...lab.replicas];
    const writable = await Promise.all(servers.map(isWritable));
    expect(servers.filter((_, index) => writable[index])).toEqual([lab.owner()]);
  }

  it('changes nothing in a healthy lab', async () => {
    const session = await sessions.connect();
    await lab.heal();
    await session.query("INSERT INTO t (v) VALUES ('healthy')");
    await expectOneWriter();
  });

  it('brings everything back after everything died', async () => {
    const owner = lab.owner();
    for (const server of [...lab.masters, ...lab.replicas])
      await lab.fault({ kind: 'kill', server: server.name });
    await lab.heal();
    expect(lab.owner()).toBe(owner);
    await (await sessions.connect()).query("INSERT INTO t (v) VALUES ('back')");
    await lab.heal();
    expect(await contents()).toContain('back');
    await expectOneWriter();
  });

  it('makes a returned master follow the new one, semi-synchronously again', async () => {
    const old = lab.owner();
    await lab.fault({ kind: 'kill', server: old.name });
    await lab.fault({ kind: 'failover', gapMs: 0 });
    const session = await sessions.connect();
    await session.query("INSERT INTO t (v) VALUES ('while one was dead')");
    await lab.heal();
    expect(lab.owner()).not.toBe(old);
    expect(await contents()).toContain('while one was dead');
    await expectOneWriter();
    await lab.fault({ kind: 'freeze', server: old.name });
    const write = session.query("INSERT INTO t (v) VALUES ('waits for the standby')");
    expect(await isPendingAfter(300, write)).toBe(true);
    await lab.heal();
    await write;
  });

  it('ends a split brain with the rows of both masters everywhere', async () => {
    const old = lab.owner();
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset', fence: false });
    await (await sessions.connect(old)).query("INSERT INTO t (v) VALUES ('left brain')");
    await (await sessions.connect()).query("INSERT INTO t (v) VALUES ('right brain')");
    await lab.heal();
    const rows = await contents();
    expect(rows).toContain('left brain');
    expect(rows).toContain('right brain');
    await expectOneWriter();
  });

  it('makes a replica anew that holds what no master has', async () => {
    const replica = lab.server('r1');
    await lab.fault({ kind: 'read-only', server: 'r1', on: false });
    await replica.query("INSERT INTO lab.t (id, v) VALUES (1000001, 'errant')");
    await lab.heal();
    expect(await contents()).not.toContain('errant');
    await expectOneWriter();
    await (await sessions.connect()).query("INSERT INTO t (v) VALUES ('after the rebuild')");
    await expect
      .poll(async () => (await contents().catch(() => '')).includes('after the rebuild'))
      .toBe(true);
  });

  it('makes a replica anew whose applier cannot go on', async () => {
    await lab.fault({ kind: 'read-only', server: 'r2', on: false });
    const replica = lab.server('r2');
    const session = await sessions.connect();
    await session.query("INSERT INTO t (id, v) VALUES (2000001, 'deleted on r2')");
    await expect.poll(() => countOf(replica, 2_000_001)).toBe(1);
    await replica.query('SET SESSION sql_log_bin = 0');
    await replica.query('DELETE FROM lab.t WHERE id = 2000001');
    await session.query('DELETE FROM t WHERE id = 2000001');
    await lab.heal();
    await contents();
  });

  it('keeps every acknowledged row when primaries are killed under load', async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 4; round += 1) {
      const stopped = { yes: false };
      const writers = Array.from({ length: 8 }, (_, writer) =>
        writeUntil(stopped, `${round}-${writer}`, acknowledged, () => sessions.connect()),
      );
      await sleep(400);
      await lab.fault({ kind: 'kill', server: lab.owner().name });
      await lab.fault({ kind: 'failover', gapMs: 50 });
      await sleep(300);
      stopped.yes = true;
      await Promise.all(writers);
      const kept = new Set((await lab.owner().query<{ v: string }>('SELECT v FROM lab.t')).map(({ v }) => v));
      expect([...acknowledged].filter((v) => !kept.has(v))).toEqual([]);
      await lab.heal();
      await contents();
    }
    expect(acknowledged.size).toBeGreaterThan(200);
  });
});

async function writeUntil(
  stopped: { readonly yes: boolean },
  prefix: string,
  acknowledged: Set<string>,
  connect: () => ReturnType<Sessions['connect']>,
): Promise<void> {
  for (let count = 0; !stopped.yes; ) {
    const session = await connect().catch(() => sleep(20, undefined));
    if (session === undefined) continue;
    try {
      for (; !stopped.yes; count += 1) {
        const v = `${prefix}-${count}`;
        await session.query('INSERT INTO t (v) VALUES (?)', [v]);
        acknowledged.add(v);
      }
    } catch {
      // In doubt: another value comes next.
      count += 1;
    }
  }
}

async function isWritable(server: LabServer): Promise<boolean> {
  const [row] = await server.query<{ readOnly: number }>('SELECT @@GLOBAL.read_only AS readOnly');
  return row?.readOnly === 0;
}

async function countOf(server: LabServer, id: number): Promise<number | undefined> {
  const [row] = await server.query<{ n: number }>('SELECT COUNT(*) AS n FROM lab.t WHERE id = ?', [id]);
  return row?.n;
}
