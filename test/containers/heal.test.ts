import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/cluster.ts';
import { describeContainers } from '../support/container-vendors.ts';
import type { ContainerLab } from './container-lab.ts';
import { expectHealthy, isWritable, logIn, otherOf, ownerName, showLogsOnFailure } from './lab-checks.ts';
import { startContainerLab } from './start-container-lab.ts';

describeContainers('a container lab heals', (vendor) => {
  let lab: ContainerLab;

  beforeAll(async () => {
    lab = await startContainerLab({ vendor });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY, v VARCHAR(20))');
  });
  afterEach(async (context) => {
    showLogsOnFailure(lab, context.onTestFailed);
    await expectHealthy(lab);
  });
  afterAll(() => lab?.stop());

  it('when nothing is broken', async () => {
    const owner = lab.owner();
    await lab.heal();
    expect(lab.owner()).toBe(owner);
  });

  it('a primary that died with a commit which nobody got', async () => {
    const old = ownerName(lab);
    const next = otherOf(old);
    const connection = await logIn(lab);
    connection.on('error', () => {});
    await lab.fault({ kind: 'stop-receiver', server: next });
    const insert = connection.query("INSERT INTO t VALUES (1, 'orphan')").catch((error: unknown) => error);
    await eventually('the commit waits for the other master', async () => {
      const sessions = await lab
        .owner()
        .query<{ state: string }>('SELECT state FROM information_schema.processlist WHERE user = ?', [
          lab.user,
        ]);
      return sessions.some(({ state }) => /semi-sync ACK/i.test(state ?? ''));
    });
    await lab.fault({ kind: 'kill', server: old });
    await lab.waitForOwner(next);
    expect(await insert).toBeInstanceOf(Error);
    connection.destroy();
    await lab.server(next).query("INSERT INTO lab.t VALUES (1, 'new')");
    await lab.heal();
    expect(lab.owner().name).toBe(next);
    for (const server of [...lab.masters, ...lab.replicas]) {
      expect(await server.query('SELECT v FROM lab.t WHERE id = 1'), server.name).toEqual([{ v: 'new' }]);
    }
  });

  it('two masters that both have the address and both accept writes', async () => {
    const old = ownerName(lab);
    const next = otherOf(old);
    await lab.fault({ kind: 'kill-keepalived', server: old });
    await lab.waitForOwner(next);
    expect(await isWritable(lab.server(old))).toBe(true);
    await lab.server(next).query("INSERT INTO lab.t VALUES (2, 'next')");
    await lab.fault({ kind: 'stop-receiver', server: old });
    await lab.fault({ kind: 'stop-receiver', server: next });
    // Straight to the old one, as from a client whose router never heard of the move.
    await lab.server(old).query('SET SESSION sql_log_bin = 0');
    await lab.server(old).query("REPLACE INTO lab.t VALUES (3, 'old')");
    await lab.server(old).query('SET SESSION sql_log_bin = 1');
    await lab.server(next).query("INSERT INTO lab.t VALUES (3, 'next')");
    await lab.heal();
    expect(lab.owner().name).toBe(next);
    expect(await lab.server(next).query('SELECT v FROM lab.t WHERE id = 3')).toEqual([{ v: 'next' }]);
    expect(await lab.server(old).query('SELECT v FROM lab.t WHERE id = 3')).toEqual([{ v: 'next' }]);
  });

  it('both masters dead, and a replica that is frozen', async () => {
    const last = ownerName(lab);
    await lab.fault({ kind: 'freeze', server: 'r1' });
    await lab.fault({ kind: 'kill', server: otherOf(last) });
    await lab.fault({ kind: 'kill', server: last });
    await lab.heal();
    expect(lab.owner().name).toBe(last);
  });

  it('everything at once', async () => {
    const old = ownerName(lab);
    await lab.fault({ kind: 'kill-keepalived', server: otherOf(old) });
    await lab.fault({ kind: 'link-down', server: old });
    await lab.fault({ kind: 'drop-3306', server: otherOf(old) });
    await lab.fault({ kind: 'freeze', server: old });
    await lab.fault({ kind: 'kill', server: 'r2' });
    await lab.fault({ kind: 'black-hole' });
    await lab.fault({ kind: 'kill', server: 'redis' });
    await lab.heal();
  });
});
