import type { MasterName } from '../../src/testing/index.ts';
import type { History } from './history.ts';
import type { Sighting } from './prober.ts';
import type { ServerRows } from './tables.ts';

/** A time without a writable server at the VIP, or a change of the server without such a time. */
export interface Outage {
  readonly from: number;
  /** When the prober first saw a writable server again. */
  readonly to: number;
  readonly server: MasterName | undefined;
  /** Whether another server answers than before. */
  readonly moved: boolean;
}

/** The outages that a prober has seen, oldest first; one that has not ended is left out. */
export function findOutages(sightings: readonly Sighting[]): Outage[] {
  const outages: Outage[] = [];
  let writable: Sighting | undefined;
  let brokenAt: number | undefined;
  for (const sighting of sightings) {
    if (sighting.state !== 'writable') {
      if (writable !== undefined) brokenAt ??= sighting.begunAt;
      continue;
    }
    if (writable !== undefined) {
      const { begunAt, at, server } = sighting;
      outages.push({ from: brokenAt ?? begunAt, to: at, server, moved: server !== writable.server });
    }
    writable = sighting;
    brokenAt = undefined;
  }
  return outages;
}

/** What of an outage was the client's own. */
export interface AddedOutage extends Outage {
  /** From the prober's sighting to the first acknowledged write there; undefined: there was none. */
  readonly addedMs: number | undefined;
}

/** Who executed which row, by the name of the master. */
export interface Executors {
  readonly rows: ServerRows;
  readonly serverIds: Readonly<Record<number, MasterName>>;
}

/** Writes that another server than its new holder executed, although they were begun after the VIP had moved. */
export function writesElsewhere(
  { to, server }: Outage,
  { operations }: History,
  { rows, serverIds }: Executors,
): number {
  const begunLater = new Set(operations.filter(({ startedAt }) => startedAt > to).map(({ id }) => id));
  return rows.events.filter((row) => begunLater.has(row.id) && serverIds[row.server] !== server).length;
}

/** How much longer than the VIP itself the client was without its primary. */
export function addedOutages(
  outages: readonly Outage[],
  { operations }: History,
  { rows, serverIds }: Executors,
): AddedOutage[] {
  const executor = new Map(rows.events.map(({ id, server }) => [id, serverIds[server]]));
  const writes = operations
    .filter(({ kind, ending }) => kind === 'event' && ending.state === 'acknowledged')
    .sort((a, b) => a.endedAt - b.endedAt);
  return outages.map((outage) => {
    const { from, to, server, moved } = outage;
    // The same server again: what it acknowledged before the outage may arrive within its first moments.
    const after = moved ? from : (from + to) / 2;
    const first = writes.find(({ id, endedAt }) => endedAt > after && executor.get(id) === server);
    return { ...outage, addedMs: first && Math.max(0, first.endedAt - to) };
  });
}
