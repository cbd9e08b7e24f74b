import { accounts } from '../../src/testing/accounts.ts';
import { follow } from '../../src/testing/connect-replication.ts';
import { ownToServer } from '../../src/testing/rebuild.ts';
import { type ContainerLabParts, type Master, peerOf } from './container-lab-parts.ts';
import type { DatabaseNode } from './database-node.ts';
import { run } from './lab-container.ts';

/** Makes the standby anew from the primary, which forgets what it has received from it and not applied. */
export async function rebuildStandby(parts: ContainerLabParts, owner: Master): Promise<void> {
  const { vendor } = parts;
  const standby = peerOf(parts, owner).node;
  await owner.node.askAll([vendor.stopReplication('both'), vendor.forgetSource]);
  await copyServer(parts, [standby], owner.node);
  await follow({ vendor, accounts }, standby, owner.node);
  await follow({ vendor, accounts }, owner.node, standby);
}

/** Makes replicas anew from the standby. */
export async function rebuildReplicas(
  parts: ContainerLabParts,
  replicas: readonly DatabaseNode[],
  owner: Master,
): Promise<void> {
  if (replicas.length === 0) return;
  const { vendor, network } = parts;
  await copyServer(parts, replicas, peerOf(parts, owner).node);
  const vip = { host: network.vip, port: 3306 };
  await Promise.all(replicas.map((replica) => follow({ vendor, accounts }, replica, vip)));
}

/**
 * Gives servers the data of another one, which stands still for as long as a copy within its container takes: the files
 * are then what they would be after `kill -9`.
 */
async function copyServer(
  { vendor }: ContainerLabParts,
  nodes: readonly DatabaseNode[],
  donor: DatabaseNode,
): Promise<void> {
  await Promise.all(nodes.map(({ program }) => program.kill()));
  await run(donor.container, ['sh', '-c', 'rm -rf /exchange/* /var/lib/copy']);
  await donor.program.freeze();
  try {
    await run(donor.container, ['cp', '-a', '/var/lib/lab', '/var/lib/copy']);
  } finally {
    await donor.program.thaw();
  }
  await run(donor.container, ['sh', '-c', 'cp -a /var/lib/copy /exchange/copy && rm -rf /var/lib/copy']);
  const take = `rm -rf /var/lib/lab && cp -a /exchange/copy /var/lib/lab && cd /var/lib/lab &&
    ls | grep -E '${ownToServer.source}' | xargs -r rm -f`;
  await Promise.all(
    nodes.map(async (node) => {
      await run(node.container, ['sh', '-c', take]);
      await node.start();
      // On MySQL a copy begins to follow whom its donor follows.
      await node.ask(vendor.stopReplication('both'));
      await node.askAll([vendor.forgetSource, ...vendor.continueFromData]);
    }),
  );
}
