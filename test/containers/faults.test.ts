import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/cluster.ts';
import { describeContainers } from '../support/container-vendors.ts';
import type { ContainerLab } from './container-lab.ts';
import {
  dial,
  expectHealthy,
  isWritable,
  logIn,
  otherOf,
  ownerName,
  showLogsOnFailure,
} from './lab-checks.ts';
import { startContainerLab } from './start-container-lab.ts';

describeContainers('a fault in a container lab', (vendor) => {
  let lab: ContainerLab;

  beforeAll(async () => {
    lab = await startContainerLab({ vendor });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
  });
  afterEach(async (context) => {
    showLogsOnFailure(lab, context.onTestFailed);
    await lab.heal();
    await expectHealthy(lab);
  });
  afterAll(() => lab?.stop());

  it('drops what comes to the VIP, and nothing else, until it is answered again', async () => {
    const owner = lab.owner();
    await lab.fault({ kind: 'black-hole' });
    expect(await dial(lab.vip.host)).toBe('unanswered');
    expect(await dial(owner.host)).toBe('greeting');
    await lab.fault({ kind: 'answer' });
    expect(await dial(lab.vip.host)).toBe('greeting');
    expect(lab.owner().name).toBe(owner.name);
  });

  it('refuses connections to the VIP, and resets those that are open', async () => {
    const connection = await logIn(lab);
    await lab.fault({ kind: 'refuse' });
    expect(await dial(lab.vip.host)).toBe('ECONNREFUSED');
    await expect(connection.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await lab.fault({ kind: 'answer' });
    expect(await dial(lab.vip.host)).toBe('greeting');
  });

  it('moves the VIP on purpose, and keepalived of the old primary is back as a backup', async () => {
    const old = ownerName(lab);
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    expect(lab.owner().name).toBe(otherOf(old));
    await eventually('the old primary is read-only', async () => !(await isWritable(lab.server(old))));
    await expect(lab.fault({ kind: 'move-vip', to: otherOf(old), oldConnections: 'reset' })).rejects.toThrow(
      'holds the VIP already',
    );
  });

  it('waits for the failover that follows a death, and starts the dead as a standby', async () => {
    const old = ownerName(lab);
    await lab.fault({ kind: 'kill', server: old });
    await lab.fault({ kind: 'failover' });
    expect(lab.owner().name).toBe(otherOf(old));
    await lab.owner().query('INSERT INTO lab.t VALUES (1)');
    await lab.fault({ kind: 'start', server: old });
    expect(await isWritable(lab.server(old))).toBe(false);
    await eventually('it has what it missed', async () => {
      return (await lab.server(old).query('SELECT id FROM lab.t WHERE id = 1')).length === 1;
    });
  });

  it('lets a replica lag, freezes it, and cuts it off', async () => {
    const [r1, r2] = lab.replicas;
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    await lab.fault({ kind: 'stop-receiver', server: 'r2' });
    await lab.owner().query('INSERT INTO lab.t VALUES (2)');
    await lab.fault({ kind: 'start-receiver', server: 'r2' });
    await eventually('r2 has it', async () => {
      return (await r2?.query('SELECT id FROM lab.t WHERE id = 2'))?.length === 1;
    });
    expect(await r1?.query('SELECT id FROM lab.t WHERE id = 2')).toEqual([]);
    await lab.fault({ kind: 'freeze', server: 'r1' });
    expect(await dial(r1?.host ?? '')).toBe('silent');
    await lab.fault({ kind: 'thaw', server: 'r1' });
    expect(await dial(r1?.host ?? '')).toBe('greeting');
    await lab.fault({ kind: 'link-down', server: 'r2' });
    expect(await dial(r2?.host ?? '')).toMatch(/unanswered|EHOSTUNREACH/);
    await lab.fault({ kind: 'link-up', server: 'r2' });
    await eventually('r2 is reached again', async () => (await dial(r2?.host ?? '')) === 'greeting');
    await lab.fault({ kind: 'drop-3306', server: 'r2' });
    expect(await dial(r2?.host ?? '')).toBe('unanswered');
    await lab.fault({ kind: 'pass-3306', server: 'r2' });
    expect(await dial(r2?.host ?? '')).toBe('greeting');
  });

  it('may be a server that has ended by itself: healing starts it', async () => {
    const r1 = lab.server('r1');
    await r1.query('SHUTDOWN');
    await eventually('r1 takes nobody', async () => (await dial(r1.host)) === 'ECONNREFUSED');
    await lab.heal();
    expect(await dial(r1.host)).toBe('greeting');
  });

  it('is refused when it asks for what keepalived decides', async () => {
    await expect(lab.fault({ kind: 'failover', gapMs: 10 })).rejects.toThrow('cannot choose gapMs');
    await expect(lab.fault({ kind: 'thaw', server: 'a', fence: false })).rejects.toThrow(
      'cannot choose fence',
    );
    await expect(lab.fault({ kind: 'kill', server: 'r9' })).rejects.toThrow('no server r9');
  });
});
