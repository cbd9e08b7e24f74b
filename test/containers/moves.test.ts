import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { LabServer, MasterName } from '../../src/testing/index.ts';
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
import { neighbour } from './lab-network.ts';
import { startContainerLab } from './start-container-lab.ts';
import type { VipProber } from './vip-prober.ts';

/** How the VIP's holder is broken, and what must then be true of it. */
type Case = readonly [
  kind:
    | 'kill'
    | 'stop'
    | 'freeze'
    | 'stop-keepalived'
    | 'kill-keepalived'
    | 'link-down'
    | 'drop-3306'
    | 'read-only',
  title: string,
  expectations: (old: LabServer, lab: ContainerLab) => Promise<void>,
];

const cases: readonly Case[] = [
  [
    'kill',
    'is dead',
    async (old) => {
      expect(old.pid).toBeUndefined();
      expect(await dial(old.host)).toBe('ECONNREFUSED');
    },
  ],
  ['stop', 'is down', async (old) => expect(await dial(old.host)).toBe('ECONNREFUSED')],
  [
    'freeze',
    'accepts connections and says nothing',
    async (old) => expect(await dial(old.host)).toBe('silent'),
  ],
  [
    'stop-keepalived',
    'lives on, read-only',
    async (old) => {
      await eventually('the old primary is read-only', async () => !(await isWritable(old)));
      expect(await dial(old.host)).toBe('greeting');
    },
  ],
  [
    'kill-keepalived',
    'still has the address and accepts writes',
    async (old, lab) => {
      expect(await lab.holders()).toEqual(['a', 'b']);
      expect(await isWritable(old)).toBe(true);
    },
  ],
  [
    'link-down',
    'cannot be reached',
    async (old) => expect(await dial(old.host)).toMatch(/unanswered|EHOSTUNREACH/),
  ],
  [
    'drop-3306',
    'answers nobody, and is read-only behind its firewall',
    async (old) => {
      expect(await dial(old.host)).toBe('unanswered');
      await eventually('the old primary is read-only', async () => !(await isWritable(old)));
    },
  ],
  ['read-only', 'lives on, read-only', async (old) => expect(await isWritable(old)).toBe(false)],
];

describeContainers('the VIP moves when its holder', (vendor) => {
  let lab: ContainerLab;
  let prober: VipProber;

  beforeAll(async () => {
    lab = await startContainerLab({ vendor });
    prober = await lab.startProber();
  });
  afterEach(async () => {
    await lab.heal();
    await expectHealthy(lab);
  });
  afterAll(() => lab?.stop());

  const breakOwner = async (kind: Case[0], server: MasterName): Promise<void> => {
    await lab.fault(kind === 'read-only' ? { kind, server, on: true } : { kind, server });
  };

  it.each(cases)('suffers %s, and then %s', async (kind, _, expectations) => {
    showLogsOnFailure(lab);
    const old = ownerName(lab);
    const next = otherOf(old);
    const before = neighbour(lab.vip.host);
    const since = Date.now();
    await breakOwner(kind, old);
    const { at } = await prober.firstWritable(since, { server: next });
    expect((await prober.firstAnswer(since, { server: next })).at).toBeLessThanOrEqual(at);
    await lab.waitForOwner(next);
    expect(neighbour(lab.vip.host)).not.toBe(before);
    expect(lab.owner().name).toBe(next);
    await expectations(lab.server(old), lab);
    // Nobody waits for a master that is gone.
    const connection = await logIn(lab);
    await connection.query('CREATE TABLE IF NOT EXISTS alone (id INT AUTO_INCREMENT PRIMARY KEY)');
    await connection.query('INSERT INTO alone VALUES ()');
    await connection.end();
  });
});
