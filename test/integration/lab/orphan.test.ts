import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab, LabServer } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { isPendingAfter, Sessions } from './sessions.ts';

/** What the old master alone commits, and what a client does on the new one. */
interface Orphan {
  readonly orphan: string;
  readonly afterwards: string;
}

const clash: Orphan = {
  orphan: 'INSERT INTO stock VALUES (2, 20)',
  afterwards: 'INSERT INTO stock VALUES (2, 21)',
};
const overwriting: Orphan = {
  orphan: 'UPDATE stock SET qty = qty - 1 WHERE id = 1',
  afterwards: 'UPDATE stock SET qty = qty - 3 WHERE id = 1',
};

describe.each(labVendors)('an orphan on %s', (vendor) => {
  let lab: Lab;
  let sessions: Sessions;
  const progress: string[] = [];

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, onProgress: (line) => progress.push(line) });
    sessions = new Sessions(lab);
    await lab.owner().query('CREATE TABLE lab.stock (id INT PRIMARY KEY, qty INT NOT NULL)');
  });
  beforeEach(async () => {
    await lab.owner().query('DELETE FROM lab.stock');
    await lab.owner().query('INSERT INTO lab.stock VALUES (1, 100)');
    await lab.heal();
    progress.length = 0;
  });
  afterEach(() => sessions.closeAll());
  afterAll(() => lab.stop());

  /** Leaves a commit that the standby never gets, ends the primary in mid-commit and promotes the standby. */
  async function orphan(statement: string, end: 'kill' | 'freeze'): Promise<{ old: LabServer }> {
    const old = lab.owner();
    await lab.fault({ kind: 'stop-receiver', server: standby().name });
    const commit = (await sessions.connect()).query(statement);
    const ended = commit.catch(() => {});
    expect(await isPendingAfter(200, commit)).toBe(true);
    await lab.fault({ kind: end, server: old.name });
    await lab.fault({ kind: 'failover', gapMs: 0 });
    await ended;
    return { old };
  }

  function standby(): LabServer {
    return lab.masters[lab.owner() === lab.masters[0] ? 1 : 0];
  }

  async function write(statement: string): Promise<void> {
    await (await sessions.connect()).query(statement);
  }

  async function stockOf(server: LabServer): Promise<Record<string, unknown>[]> {
    return server.query('SELECT id, qty FROM lab.stock ORDER BY id');
  }

  async function expectEverywhere(stock: Record<string, unknown>[]): Promise<void> {
    for (const server of [...lab.masters, ...lab.replicas])
      await expect.poll(() => stockOf(server), { message: server.name, timeout: 5_000 }).toEqual(stock);
  }

  /** Writes through each master, by an orderly move and by a death, and looks for it on every server. */
  async function expectReplicationBothWays(): Promise<void> {
    await write('INSERT INTO stock VALUES (11, 1)');
    await expectEverywhere(await stockOf(lab.owner()));
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    await write('INSERT INTO stock VALUES (12, 1)');
    await expectEverywhere(await stockOf(lab.owner()));
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    await lab.fault({ kind: 'failover', gapMs: 0 });
    await write('INSERT INTO stock VALUES (13, 1)');
    await lab.heal();
    const stock = await stockOf(lab.owner());
    expect(stock.map(({ id }) => id)).toEqual(expect.arrayContaining([11, 12, 13]));
    await expectEverywhere(stock);
  }

  const returns: readonly ('kill' | 'freeze')[] = ['kill', 'freeze'];
  describe.each(returns)('of a master that returns after %s', (end) => {
    it.each([
      ['whose key a client has used again', clash],
      ['that would silently overwrite a row', overwriting],
    ])('is dropped by heal: one %s', async (_, each) => {
      const { old } = await orphan(each.orphan, end);
      await write(each.afterwards);
      const kept = await stockOf(lab.owner());
      await lab.heal();
      expect(lab.owner()).not.toBe(old);
      expect(await stockOf(lab.owner())).toEqual(kept);
      await expectEverywhere(kept);
      expect(progress.join('\n')).toContain(`${old.name} is made anew from ${lab.owner().name}`);
      await expectReplicationBothWays();
    });
  });

  it('is dropped when the old master is started alone', async () => {
    const { old } = await orphan(overwriting.orphan, 'kill');
    await write(overwriting.afterwards);
    const kept = await stockOf(lab.owner());
    await lab.fault({ kind: 'start', server: old.name });
    await expectEverywhere(kept);
    await expectReplicationBothWays();
  });

  it('is dropped when the new master dies too, before the old one returns', async () => {
    const { old } = await orphan(overwriting.orphan, 'kill');
    await write(overwriting.afterwards);
    const kept = await stockOf(lab.owner());
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    await lab.fault({ kind: 'start', server: old.name });
    await lab.heal();
    expect(lab.owner()).not.toBe(old);
    await expectEverywhere(kept);
    await expectReplicationBothWays();
  });

  it('is dropped when a split brain has made both masters stop at the same key', async () => {
    for (const { name } of lab.masters) await lab.fault({ kind: 'stop-receiver', server: name });
    const old = lab.owner();
    const left = (await sessions.connect(old)).query('INSERT INTO stock VALUES (2, 20)').catch(() => {});
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset', fence: false });
    await write('INSERT INTO stock VALUES (2, 21)');
    const kept = await stockOf(lab.owner());
    await lab.heal();
    await left;
    await expectEverywhere(kept);
    await expectReplicationBothWays();
  });

  it('is none when a standby dies with a commit that its primary still waits for', async () => {
    await lab.fault({ kind: 'freeze', server: standby().name });
    const commit = write('UPDATE stock SET qty = 50 WHERE id = 1');
    expect(await isPendingAfter(200, commit)).toBe(true);
    await lab.fault({ kind: 'kill', server: standby().name });
    await lab.heal();
    await commit;
    await expectEverywhere([{ id: 1, qty: 50 }]);
    expect(progress).toEqual([]);
  });
});
