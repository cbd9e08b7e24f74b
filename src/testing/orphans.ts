import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';
import { peerOf } from './lab-parts.ts';
import { standDown } from './promotion.ts';
import { rebuildReplicas, rebuildStandby } from './rebuild.ts';
import { hasAppliedAll } from './replication.ts';
import { waitUntil } from './wait-until.ts';

const applyTimeoutMs = 5_000;
const commitTimeoutMs = 500;

/**
 * Keeps the holder of the VIP from fetching what a master brings that is about to return, until
 * {@link dropOrphans} has looked at it.
 */
export async function holdOff({ vendor, vip: { owner } }: LabParts): Promise<void> {
  if (owner.answers) await owner.ask(vendor.stopReplication('receiver'));
}

/**
 * Makes a returned master anew that holds what the holder of the VIP lacks, and replicas that hold it too: merged, its
 * orphans would clash with what clients have done since, or overwrite it.
 */
export async function dropOrphans(parts: LabParts): Promise<void> {
  const { vendor, vip, replicas, progress } = parts;
  const owner = vip.owner;
  const standby = peerOf(parts, owner);
  const position = await vendor.position(standby.ask);
  if (await vendor.holds(owner.ask, position)) return;
  // MySQL counts a commit that waits for its acknowledgement only afterwards; the standby may have it already.
  await standDown(vendor, owner);
  await owner.ask(vendor.startReplication('applier'));
  const present = [standby, ...replicas.filter(({ answers }) => answers)];
  const verdicts = await Promise.all(present.map((node) => isErrant(parts, node)));
  const errant = present.filter((_, index) => verdicts[index]);
  if (!errant.includes(standby)) return;
  const ownPosition = await vendor.position(owner.ask);
  progress.step(`${standby.name} is made anew from ${owner.name}: it held ${position}, not ${ownPosition}`);
  await rebuildStandby(parts);
  await rebuildReplicas(
    parts,
    errant.filter((node) => node !== standby),
  );
}

/** Whether the server holds what the holder of the VIP lacks, even once that one has applied what it has received. */
export async function isErrant({ vendor, vip: { owner } }: LabParts, node: LabNode): Promise<boolean> {
  const position = await vendor.position(node.ask);
  const isHeld = (): Promise<boolean> => vendor.holds(owner.ask, position);
  if (await isHeld()) return false;
  await waitUntil(() => hasAppliedAll(vendor, owner), applyTimeoutMs);
  return !(await waitUntil(isHeld, commitTimeoutMs));
}
