import { Failed } from '../resilience/failed.ts';
import { deniedErrnos } from '../resilience/failure-codes.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { HeartbeatClock } from './heartbeat-clock.ts';
import { heartbeatRemedy } from './heartbeat-table.ts';
import type { LagProblem } from './lag-complaints.ts';
import { readLag, statusPrivilege, statusStatement } from './lag-reading.ts';
import type { ReplicaServer } from './replica-server.ts';

/** What one look at a server has told. */
export interface LagLook {
  /** How old it was when it was asked; `undefined`: it did not tell. */
  readonly lagMs: number | undefined;
  /** Why it did not. */
  readonly reason?: string;
  /** What somebody has to put in order. */
  readonly problem?: LagProblem;
  /** Another look will tell more soon, or none will tell anything for a while. */
  readonly next?: 'soon' | 'later';
}

/** Looks how old a server is. Never rejects; `undefined` while that cannot be told of any server. */
export type LagSource = (server: ReplicaServer) => Promise<LagLook | undefined>;

/** An answer that takes longer tells nothing of use. */
const lookTimeoutMs = 2_000;

/** A heartbeat that the primary has shown for less may still be on its way to a healthy replica. */
const usualDelayMs = 30;

const delayPauseMs = 5;

/** The lag by the replication status, in whole seconds. */
export const lagByStatus: LagSource = async ({ facts, lagControl }) => {
  try {
    const reading = readLag(await lagControl.askAll(statusStatement(facts), lookTimeoutMs));
    if (reading.kind === 'known') return reading;
    if (reading.kind === 'unknown') return { lagMs: undefined, reason: reading.reason };
    return { lagMs: undefined, reason: followsNobody.reason, problem: followsNobody };
  } catch (error) {
    const { errno, message } = failureOf(error);
    if (errno === undefined || !deniedErrnos.has(errno)) return { lagMs: undefined, reason: message };
    const remedy = `Run GRANT ${statusPrivilege(facts)} ON *.* for the account that reads on replicas, or configure lag.heartbeatTable.`;
    // A privilege of this kind is given to new sessions only.
    lagControl.renew();
    return { lagMs: undefined, reason: message, problem: { reason: message, remedy }, next: 'later' };
  }
};

/** The lag by heartbeats, in milliseconds. */
export function lagByHeartbeat(heartbeat: Heartbeat): LagSource {
  return async ({ lagControl }) => {
    const { query, clock } = heartbeat;
    if (query === undefined) return undefined;
    try {
      for (;;) {
        const askedAt = performance.now();
        const row = await lagControl.ask(query, lookTimeoutMs);
        if (clock.seenAt === undefined) return undefined;
        // Replication takes as long as that when all is well: a look in between would show the heartbeat before.
        const isOnItsWay = row?.ts !== clock.newest && askedAt - clock.seenAt < usualDelayMs;
        if (!isOnItsWay) return lookAt(clock, row?.ts, askedAt);
        await lagControl.pause(delayPauseMs);
      }
    } catch (error) {
      const { errno, message } = failureOf(error);
      const remedy = heartbeatRemedy(heartbeat.table, errno, false);
      const problem = remedy === undefined ? undefined : { reason: message, remedy };
      return { lagMs: undefined, reason: message, ...(problem && { problem, next: 'later' }) };
    }
  };
}

/** `ts`: the heartbeat that the server showed. */
function lookAt(clock: HeartbeatClock, ts: unknown, askedAt: number): LagLook | undefined {
  if (typeof ts !== 'string') {
    return { lagMs: undefined, reason: 'the heartbeat of the primary has not reached it', next: 'soon' };
  }
  const isNewest = ts === clock.newest;
  const since = clock.hasAllBefore(ts);
  if (since !== undefined) return { lagMs: Math.max(0, askedAt - since), ...(!isNewest && { next: 'soon' }) };
  // The first heartbeat that this process saw may be of any age.
  return isNewest
    ? undefined
    : { lagMs: undefined, reason: `its last heartbeat is that of ${ts}`, next: 'soon' };
}

/** Whatever else happens while somebody is asked is a mistake of vipsql's own, and no reason to end the process. */
export function failureOf(error: unknown): { readonly errno?: number; readonly message: string } {
  return error instanceof Failed ? error.failure : { message: String(error) };
}

const followsNobody: LagProblem = {
  reason: 'it replicates from nobody',
  remedy: 'Start replication on it, or take it out of `replicas`.',
};
