import { accounts } from '../../src/testing/accounts.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import { fence, standDown } from '../../src/testing/promotion.ts';
import { bringAbreast, hasAppliedAll, isAbreast } from '../../src/testing/replication.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { allNodes, type ContainerLabParts, type Master, peerOf } from './container-lab-parts.ts';
import { rebuildReplicas, rebuildStandby } from './container-rebuild.ts';
import type { DatabaseNode } from './database-node.ts';
import { clearRules } from './firewall.ts';
import { settle } from './settle.ts';
import { waitForOwner } from './vip-owner.ts';

const ownerTimeoutMs = 30_000;
const patienceMs = 5_000;
const settleTimeoutMs = 30_000;

/** Ends every fault, makes the last primary the only writable server, and waits until all have the same changes. */
export async function healAll(parts: ContainerLabParts): Promise<void> {
  const { vendor, semiSync } = parts;
  await endFaults(parts);
  const owner = await lastPrimary(parts);
  const standby = peerOf(parts, owner);
  const isBack = standby.node.program.state === 'dead';

  await owner.node.start();
  // What the standby brings is looked at before the primary fetches it.
  if (isBack) await owner.node.ask(vendor.stopReplication('receiver'));
  await standby.keepalived.program.terminate();
  await standby.keepalived.dropVip();
  await Promise.all([standby.node, ...parts.replicas].map((node) => node.start()));
  await fence(vendor, standby.node, accounts);
  await standDown(vendor, standby.node);
  for (const replica of parts.replicas) await replica.ask(vendor.readOnly(true));

  await owner.keepalived.program.start();
  await parts.bridge.forgetVip();
  await waitForOwner(parts, owner.name, ownerTimeoutMs);
  await settleMasters(parts, owner, isBack);
  await settleReplicas(parts, owner);
  await standby.keepalived.program.start();
  if (semiSync !== undefined) await owner.node.askAll(vendor.waitForAcknowledgement(semiSync.timeoutMs));
  await settle(parts);
}

async function endFaults(parts: ContainerLabParts): Promise<void> {
  const { bridge, redis, masters } = parts;
  await Promise.all(
    allNodes(parts).map(async (node) => {
      await bridge.setLink(node.container, 'up');
      await clearRules(node);
      await node.program.thaw();
      node.isReachable = true;
    }),
  );
  await Promise.all(masters.map(({ keepalived }) => keepalived.program.thaw()));
  await redis?.program.thaw();
  await redis?.start();
}

/** The master that was last made writable by keepalived: what it holds is what clients have been told. */
async function lastPrimary({ masters: [a, b] }: ContainerLabParts): Promise<Master> {
  const [promotedA, promotedB] = await Promise.all([a.keepalived.promotedAt(), b.keepalived.promotedAt()]);
  return promotedB > promotedA ? b : a;
}

/** Brings both masters to the same changes; a standby that holds what the primary never got is made anew. */
async function settleMasters(parts: ContainerLabParts, owner: Master, isBack: boolean): Promise<void> {
  const { vendor } = parts;
  const standby = peerOf(parts, owner);
  const [primary, other] = [owner.node, standby.node];
  if (!isBack && (await isAbreast(vendor, primary, other)) && (await isAbreast(vendor, other, primary)))
    return;
  // An applier may hang on an acknowledgement that will not come. Nothing breaks while healing, so nothing is lost.
  await standDown(vendor, primary);
  if (isBack && (await isErrant(parts, other, primary))) await rebuildStandby(parts, owner);
  const abreast = async (withinMs: number): Promise<boolean> => {
    const deadline = Date.now() + withinMs;
    const settled = await Promise.all([
      bringAbreast(vendor, primary, { source: other, deadline }),
      bringAbreast(vendor, other, { source: primary, deadline }),
    ]);
    return settled.every(Boolean);
  };
  if (await abreast(patienceMs)) return;
  await rebuildStandby(parts, owner);
  if (!(await abreast(settleTimeoutMs))) throw await report(parts, [primary, other]);
}

/** A replica that cannot follow, or that holds what the primary never got, is made anew. */
async function settleReplicas(parts: ContainerLabParts, owner: Master): Promise<void> {
  const { vendor, replicas } = parts;
  const abreast = (replica: DatabaseNode, withinMs: number): Promise<boolean> =>
    bringAbreast(vendor, replica, { source: owner.node, deadline: Date.now() + withinMs });
  const follow = await Promise.all(
    replicas.map(
      async (replica) =>
        !(await isErrant(parts, replica, owner.node)) && (await abreast(replica, patienceMs)),
    ),
  );
  const lost = replicas.filter((_, index) => !follow[index]);
  await rebuildReplicas(parts, lost, owner);
  const settled = await Promise.all(lost.map((replica) => abreast(replica, settleTimeoutMs)));
  if (!settled.every(Boolean)) throw await report(parts, lost);
}

/** Whether a server holds what the primary lacks, even once that one has applied what it has received. */
async function isErrant(
  { vendor }: ContainerLabParts,
  node: DatabaseNode,
  primary: DatabaseNode,
): Promise<boolean> {
  await primary.ask(vendor.startReplication('applier'));
  await waitUntil(() => hasAppliedAll(vendor, primary), patienceMs);
  const position = await vendor.position(node.ask);
  return !(await waitUntil(() => vendor.holds(primary.ask, position), 500));
}

async function report({ vendor }: ContainerLabParts, nodes: readonly DatabaseNode[]): Promise<LabError> {
  const lines = nodes.map(async (node) => {
    const { receiving, applying, error } = await vendor.replicationStatus(node.ask);
    const position = await vendor.position(node.ask);
    return `${node.name}: receiving ${receiving}, applying ${applying}, position ${position}, error: ${error}`;
  });
  return new LabError(`the lab did not heal:\n${(await Promise.all(lines)).join('\n')}`);
}
