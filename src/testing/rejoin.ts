import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';
import { isStandby, peerOf } from './lab-parts.ts';
import { launch } from './launch.ts';
import { dropOrphans, holdOff } from './orphans.ts';
import { promote, waitForPeer } from './promotion.ts';

const welcomeTimeoutMs = 5_000;

/** Starts a dead server and gives it its part again: the holder of the VIP is promoted, others follow read-only. */
export async function startNode(parts: LabParts, node: LabNode): Promise<void> {
  if (isStandby(parts, node)) await holdOff(parts);
  await launch(parts, node);
  await rejoin(parts, node);
}

/** Gives a server its part again that has come back and that nobody has fetched anything from yet. */
export async function rejoin(parts: LabParts, node: LabNode): Promise<void> {
  const { vendor, semiSync, masters, vip } = parts;
  const together = masters.includes(node) && masters.every(({ answers }) => answers);
  if (together) await dropOrphans(parts);
  for (const each of together ? masters : [node]) await each.ask(vendor.startReplication('both'));
  if (node === vip.owner) {
    await vip.refresh();
    await promote({ vendor, node, peer: peerOf(parts, node) }, semiSync);
  }
  await welcomeStandby(parts, node);
}

/** Lets the primary's commits wait for the standby again, now that it is back; if it lags, `heal()` does so. */
export async function welcomeStandby(parts: LabParts, node: LabNode): Promise<void> {
  const { vendor, semiSync, vip } = parts;
  if (semiSync === undefined || !isStandby(parts, node) || !vip.owner.answers) return;
  await waitForPeer(
    { vendor, node: vip.owner, peer: node },
    { commitTimeoutMs: semiSync.timeoutMs, patienceMs: welcomeTimeoutMs },
  );
}
