import type { MasterName } from '../../src/testing/index.ts';
import { masterNames } from '../containers/start-prober.ts';
import type { VipSighting } from '../containers/vip-prober.ts';
import type { History } from './history.ts';
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
export function findOutages(sightings: readonly VipSighting[]): Outage[] {
  const outages: Outage[] = [];
  let writable: VipSighting | undefined;
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

/** Writes that another server than its new holder executed, although they were begun after the VIP had moved. */
export function writesElsewhere({ to, server }: Outage, { operations }: History, rows: ServerRows): number {
  const begunLater = new Set(operations.filter(({ startedAt }) => startedAt > to).map(({ id }) => id));
  return rows.events.filter((row) => begunLater.has(row.id) && masterNames[row.server] !== server).length;
}

/** How much longer than the VIP itself the client was without its primary. */
export function addedOutages(
  outages: readonly Outage[],
  { operations }: History,
  rows: ServerRows,
): AddedOutage[] {
  const executor = new Map(rows.events.map(({ id, server }) => [id, masterNames[server]]));
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
