import type { Askable } from './askable.ts';
import { hasAppliedAll, isReplicating } from './replication.ts';
import type { LabAccounts, Vendor } from './vendors/vendor.ts';
import { waitUntil } from './wait-until.ts';

/** Semi-synchronous replication between the masters, or none. */
export type SemiSync = { readonly timeoutMs: number } | undefined;

/** Who is promoted, and the other master. */
export interface Promotion {
  readonly vendor: Vendor;
  readonly node: Askable;
  readonly peer: Askable;
}

const applyTimeoutMs = 5_000;
/** Replication that was cut tries again after a second. */
const peerTimeoutMs = 2_000;
const lockTimeoutMs = 5_000;

/**
 * What keepalived's notify script does on the new holder of the VIP: apply what has been received, let commits wait
 * for the other master if that one is there to answer, accept writes.
 */
export async function promote({ vendor, node, peer }: Promotion, semiSync: SemiSync): Promise<void> {
  await waitUntil(() => hasAppliedAll(vendor, node), applyTimeoutMs);
  if (semiSync !== undefined) {
    const patience = { commitTimeoutMs: semiSync.timeoutMs, patienceMs: peerTimeoutMs };
    if (!(await waitForPeer({ vendor, node, peer }, patience))) await standDown(vendor, node);
  }
  await node.ask(vendor.readOnly(false));
}

/**
 * Lets the holder's commits wait for the other master as soon as that one replicates: a dead one would block them all.
 * What the other one has committed must have arrived first: on MySQL it is not sent back and not acknowledged. Gives
 * false, and leaves everything as it is, if that does not come to pass in time.
 */
export async function waitForPeer(
  { vendor, node, peer }: Promotion,
  { commitTimeoutMs, patienceMs }: { readonly commitTimeoutMs: number; readonly patienceMs: number },
): Promise<boolean> {
  const isPresent = async (): Promise<boolean> =>
    (await isReplicating(vendor, peer)) && vendor.holds(node.ask, await vendor.position(peer.ask));
  const present = peer.answers && (await waitUntil(isPresent, patienceMs));
  if (present) await node.askAll(vendor.waitForAcknowledgement(commitTimeoutMs));
  return present;
}

/**
 * What keepalived's notify script does first on a master that lost the VIP: refuse writes, then end the application's
 * sessions with their transactions and locks.
 */
export async function fence(vendor: Vendor, node: Askable, accounts: LabAccounts): Promise<void> {
  try {
    await node.ask(vendor.readOnly(true));
    await endSessions(node, accounts);
  } catch {
    // A client's LOCK TABLES, or a commit that waits for the other master, may stand in the way.
    await endSessions(node, accounts);
    await standDown(vendor, node);
    await insist(() => node.ask(vendor.readOnly(true)));
  }
}

/** Who was ended, or an administrator with a lock, may yet hold it for a moment. */
async function insist(act: () => Promise<unknown>): Promise<void> {
  const succeeds = async (): Promise<boolean> => {
    await act();
    return true;
  };
  if (!(await waitUntil(succeeds, lockTimeoutMs))) await act();
}

/**
 * What it does last: what a standby applies needs no acknowledgement. Only once its sessions have ended, or commits
 * that waited would be acknowledged to clients that still listen. (Takes MySQL a second.)
 */
export async function standDown(vendor: Vendor, node: Askable): Promise<void> {
  await node.askAll(vendor.stopWaiting);
}

async function endSessions(node: Askable, { admin, replication }: LabAccounts): Promise<void> {
  const sessions = await node.ask(
    "SELECT id FROM information_schema.processlist WHERE user NOT IN (?, ?, 'system user', 'event_scheduler')",
    [admin.user, replication.user],
  );
  for (const { id } of sessions) {
    // It may have ended by itself.
    await node.ask(`KILL ${Number(id)}`).catch(() => {});
  }
}
