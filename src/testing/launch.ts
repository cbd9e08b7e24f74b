import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';

/** Starts a dead server. It is read-only, replicates nothing yet, and a master will acknowledge what it receives. */
export async function launch({ vendor, semiSync, masters }: LabParts, node: LabNode): Promise<void> {
  await node.start();
  if (semiSync !== undefined && masters.includes(node)) await node.askAll(vendor.enableAcknowledging);
}
