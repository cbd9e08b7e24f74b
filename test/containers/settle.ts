import { LabError } from '../../src/testing/lab-error.ts';
import { isReplicating } from '../../src/testing/replication.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { allNodes, type ContainerLabParts, peerOf } from './container-lab-parts.ts';
import type { DatabaseNode } from './database-node.ts';
import { waitForOwner } from './vip-owner.ts';

const timeoutMs = 30_000;

/** Waits until one master is primary, the other one its standby, and everything replicates as it should. */
export async function settle(parts: ContainerLabParts): Promise<void> {
  const { vendor, semiSync } = parts;
  const owner = await waitForOwner(parts, undefined, timeoutMs);
  const standby = peerOf(parts, owner);
  await demand(
    () => standby.keepalived.isStandby(),
    async () => `keepalived of ${standby.name} is no backup:\n${await standby.keepalived.log()}`,
  );
  for (const node of allNodes(parts)) {
    await demand(
      () => isReplicating(vendor, node),
      async () => `${node.name} does not replicate: ${await replicationError(parts, node)}`,
    );
  }
  if (semiSync === undefined) return;
  await demand(
    async () => {
      const { waiting, acknowledgers } = await vendor.semiSyncStatus(owner.node.ask);
      return waiting && acknowledgers > 0;
    },
    async () => `commits on ${owner.name} do not wait for ${standby.name}:\n${await owner.keepalived.log()}`,
  );
}

async function demand(condition: () => Promise<boolean>, otherwise: () => Promise<string>): Promise<void> {
  if (!(await waitUntil(condition, timeoutMs, 20))) throw new LabError(await otherwise());
}

async function replicationError({ vendor }: ContainerLabParts, node: DatabaseNode): Promise<string> {
  if (!node.answers) return `it is ${node.program.state}`;
  const { receiving, applying, error } = await vendor.replicationStatus(node.ask);
  return `receiving ${receiving}, applying ${applying}, ${error}`;
}
