import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterConfig, EventName } from '../../../src/index.ts';
import type { Lab, LabServer } from '../../../src/testing/index.ts';
import { eventually, openCluster, recordEvents } from '../../support/cluster.ts';

/** The events that say something about who writes. */
const writerEvents = ['standby:writable', 'two-writers', 'stale-primary:wrote', 'master:unwatched'] as const;

/** A cluster that watches the masters of a lab, and what it has told about them. */
export interface WatchedCluster {
  readonly db: Cluster;
  /** The names of the events, in order. */
  readonly told: EventName[];
  readonly record: <E extends (typeof writerEvents)[number]>(name: E) => ReturnType<typeof recordEvents<E>>;
}

/** Looks come four times a second, so that the tests need not be long. */
export async function openWatched(lab: Lab, config: Partial<ClusterConfig> = {}): Promise<WatchedCluster> {
  const db = openCluster(lab, { masters: mastersOf(lab), monitor: { intervalMs: 250 }, ...config });
  const told: EventName[] = [];
  for (const name of writerEvents) db.on(name, () => told.push(name));
  await db.ready();
  await eventually('a look at every master', () =>
    db.status().masters.every(({ lookedAtMsAgo }) => lookedAtMsAgo !== undefined),
  );
  return { db, told, record: (name) => recordEvents(db, name) };
}

export function mastersOf(lab: Lab): string[] {
  return lab.masters.map(({ address }) => address);
}

/** The master that does not hold the VIP. */
export function standbyOf(lab: Lab): LabServer {
  return lab.master(lab.owner().name === 'a' ? 'b' : 'a');
}

let rows = 0;

/** Writes to one server past the cluster, every 100 ms until `done` says so. */
export async function writeTo(server: LabServer, done: () => boolean, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!done()) {
    if (performance.now() > end) throw new Error(`${server.name} was written to for ${timeoutMs} ms in vain`);
    await insert(server);
    await sleep(100);
  }
}

export async function insert(server: LabServer): Promise<void> {
  rows += 1;
  await server.query('INSERT INTO lab.t (id) VALUES (?)', [`past-${rows}`]);
}

/** Waits for a row on a server. */
export async function arrival(server: LabServer, id: string): Promise<void> {
  await eventually(`${id} on ${server.name}`, async () => {
    const found = await server.query('SELECT id FROM lab.t WHERE id = ?', [id]);
    return found.length === 1;
  });
}

/**
 * Long enough for everything that was going to be told to have been told: the two seconds after a change of epoch, and
 * half a dozen looks. That nothing happens can only be waited for.
 */
export function longEnough(): Promise<void> {
  return sleep(4_000);
}
