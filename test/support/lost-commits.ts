import type { Lab, LabServer } from '../../src/testing/index.ts';
import type { CommitGate } from './commit-gate.ts';
import { eventually, sleep } from './eventually.ts';

/** What is done to transactions whose COMMITs wait at the gate: none of these will be answered. */
export interface Loss {
  readonly lab: Lab;
  readonly gate: CommitGate;
  readonly count: number;
}

/** Ways to lose the answers of COMMITs. A primary answers afterwards; the caller heals the lab. */
export const lostCommits = {
  /** The commits stand still before they are in the binary log; the server is killed, the other one promoted. */
  'frozen, killed, other promoted': async (loss) => {
    await freezeCommits(loss);
    await loss.lab.fault({ kind: 'kill', server: loss.lab.owner().name });
    await loss.lab.fault({ kind: 'failover', gapMs: 200 });
  },
  /** The same server comes back, in another life. */
  'frozen, killed, same back': async (loss) => {
    const { name } = loss.lab.owner();
    await freezeCommits(loss);
    await loss.lab.fault({ kind: 'kill', server: name });
    await loss.lab.fault({ kind: 'start', server: name });
  },
  /** The server stops as a whole, with the COMMITs in its sockets. */
  'stopped, other promoted': async ({ lab, gate }) => {
    await lab.fault({ kind: 'freeze', server: lab.owner().name });
    gate.open();
    await sleep(100);
    await lab.fault({ kind: 'failover', gapMs: 200, oldConnections: 'silent' });
  },
  /** The VIP moves while the server lives; its notify script ends the sessions, some of them in COMMIT. */
  'VIP moved': async ({ lab, gate }) => {
    const moved = lab.fault({ kind: 'move-vip', oldConnections: 'silent' });
    gate.open();
    await moved;
  },
  /** The COMMITs do not arrive, and their sessions live on behind connections that are gone. */
  'black-holed, same answers': async ({ lab, gate }) => {
    await lab.fault({ kind: 'black-hole' });
    gate.open();
    await sleep(500);
    await lab.fault({ kind: 'refuse' });
    await lab.fault({ kind: 'answer' });
  },
  'black-holed, other promoted': async ({ lab, gate }) => {
    await lab.fault({ kind: 'black-hole' });
    gate.open();
    await lab.fault({ kind: 'failover', gapMs: 200, oldConnections: 'silent' });
  },
} as const satisfies Record<string, (loss: Loss) => Promise<void>>;

/** The same with commits that are in the binary log and that nobody has acknowledged: for semi-synchronous replication. */
export const unacknowledgedCommits = {
  'unacknowledged, killed, other promoted': async (loss) => {
    await loseAcknowledgements(loss);
    await loss.lab.fault({ kind: 'failover', gapMs: 200 });
  },
  'unacknowledged, killed, same back': async (loss) => {
    await loseAcknowledgements(loss);
    await loss.lab.fault({ kind: 'start', server: loss.lab.owner().name });
  },
} as const satisfies Record<string, (loss: Loss) => Promise<void>>;

async function freezeCommits({ lab, gate, count }: Loss): Promise<void> {
  await lab.owner().query('FLUSH TABLES WITH READ LOCK');
  gate.open();
  await commitsWait(lab.owner(), count);
}

async function loseAcknowledgements({ lab, gate, count }: Loss): Promise<void> {
  const owner = lab.owner();
  await lab.fault({ kind: 'stop-receiver', server: otherMaster(lab).name });
  gate.open();
  await commitsWait(owner, count);
  await lab.fault({ kind: 'kill', server: owner.name });
}

export function otherMaster(lab: Lab): LabServer {
  const [a, b] = lab.masters;
  return lab.owner() === a ? b : a;
}

/** Waits until so many sessions stand in COMMIT. */
async function commitsWait(server: LabServer, count: number): Promise<void> {
  await eventually(`${count} sessions in COMMIT`, async () => {
    const [row] = await server.query(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info = 'COMMIT'",
    );
    return Number(row?.n) >= count;
  });
}
