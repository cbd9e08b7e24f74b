import type { Askable } from './askable.ts';
import type { LabAddress } from './lab.ts';
import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';
import { allNodes } from './lab-parts.ts';
import { promote } from './promotion.ts';
import { isReplicating } from './replication.ts';
import { waitUntil } from './wait-until.ts';

const timeoutMs = 20_000;

/** Lets each master follow the other by its own address and the replicas follow the VIP, and promotes its holder. */
export async function connectReplication(parts: LabParts): Promise<void> {
  const { vendor, semiSync, masters, replicas, vip, vipAddress } = parts;
  const [a, b] = masters;
  if (semiSync !== undefined)
    await Promise.all(masters.map((master) => master.askAll(vendor.enableAcknowledging)));
  await vip.refresh();
  await Promise.all([
    follow(parts, a, b),
    follow(parts, b, a),
    ...replicas.map((replica) => follow(parts, replica, vipAddress)),
  ]);
  await Promise.all(allNodes(parts).map((node) => waitForReplication(parts, node)));
  await promote({ vendor, node: a, peer: b }, semiSync);
}

/** Makes the server, which follows nobody, follow that source. */
export async function follow(
  { vendor, accounts }: Pick<LabParts, 'vendor' | 'accounts'>,
  node: Askable,
  source: LabAddress,
): Promise<void> {
  await node.askAll([vendor.replicateFrom(source, accounts.replication), vendor.startReplication('both')]);
}

async function waitForReplication({ vendor }: LabParts, node: LabNode): Promise<void> {
  if (await waitUntil(() => isReplicating(vendor, node), timeoutMs)) return;
  const { error } = await vendor.replicationStatus(node.ask);
  throw node.process.failure(`does not replicate (${error})`);
}
