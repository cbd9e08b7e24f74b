import { LabError } from './lab-error.ts';
import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';
import { allNodes, peerOf } from './lab-parts.ts';
import { launch } from './launch.ts';
import { holdOff, isErrant } from './orphans.ts';
import { fence, promote, standDown, waitForPeer } from './promotion.ts';
import { rebuildReplicas, rebuildStandby } from './rebuild.ts';
import { rejoin } from './rejoin.ts';
import { bringAbreast, isAbreast, isReplicating } from './replication.ts';
import { waitUntil } from './wait-until.ts';

const timeoutMs = 30_000;
const rebuildAfterMs = 5_000;

/** Brings every server back to its part and waits until all have the same changes. */
export async function healAll(parts: LabParts): Promise<void> {
  const { vendor, vip, redis, replicas } = parts;
  const owner = vip.owner;
  const standby = peerOf(parts, owner);
  const deadline = Date.now() + timeoutMs;

  redis?.process.thaw();
  await redis?.start();
  owner.process.thaw();
  const returning = allNodes(parts).filter((node) => !node.answers);
  if (returning.includes(standby)) await holdOff(parts);
  for (const node of returning) node.process.thaw();
  await Promise.all(returning.map((node) => launch(parts, node)));
  await vip.open('resume');
  await vip.forgetOldConnections();

  await closeStandby(parts, standby);
  for (const replica of replicas) await replica.ask(vendor.readOnly(true));
  for (const node of returning) await rejoin(parts, node);
  await settleMasters(parts, deadline);
  await promote({ vendor, node: owner, peer: standby }, parts.semiSync);
  await settleSemiSync(parts, deadline);
  await settleReplicas(parts, deadline);
}

async function closeStandby({ vendor, accounts }: LabParts, standby: LabNode): Promise<void> {
  const [row] = await standby.ask('SELECT @@GLOBAL.read_only AS readOnly');
  if (row?.readOnly !== 1) await fence(vendor, standby, accounts);
  await standDown(vendor, standby);
}

/** Brings both masters to the same changes. */
async function settleMasters(parts: LabParts, deadline: number): Promise<void> {
  const { vendor, vip } = parts;
  const owner = vip.owner;
  const standby = peerOf(parts, owner);
  const areAbreast = (await isAbreast(vendor, owner, standby)) && (await isAbreast(vendor, standby, owner));
  if (areAbreast) return;
  // An applier may hang on an acknowledgement that will not come. Nothing breaks while healing, so nothing is lost.
  await standDown(vendor, owner);
  const settle = async (until: number): Promise<boolean> => {
    const settled = await Promise.all([
      bringAbreast(vendor, owner, { source: standby, deadline: until }),
      bringAbreast(vendor, standby, { source: owner, deadline: until }),
    ]);
    return settled.every(Boolean);
  };
  if (await settle(Math.min(deadline, Date.now() + rebuildAfterMs))) return;
  const both = await Promise.all([isReplicating(vendor, owner), isReplicating(vendor, standby)]);
  // One that is merely slow loses nothing.
  if (!both.every(Boolean)) await rebuildStandby(parts);
  if (!(await settle(deadline))) throw await report(parts, [owner, standby]);
}

async function settleSemiSync(parts: LabParts, deadline: number): Promise<void> {
  const { vendor, vip, semiSync } = parts;
  if (semiSync === undefined) return;
  const owner = vip.owner;
  const standby = peerOf(parts, owner);
  const isSettled = async (): Promise<boolean> => {
    const { waiting, acknowledgers } = await vendor.semiSyncStatus(owner.ask);
    if (waiting && acknowledgers > 0) return true;
    const timeouts = { commitTimeoutMs: semiSync.timeoutMs, patienceMs: 0 };
    await waitForPeer({ vendor, node: owner, peer: standby }, timeouts);
    return false;
  };
  if (!(await waitUntil(isSettled, deadline - Date.now()))) throw await report(parts, [owner, standby]);
}

/** A replica that cannot follow, or that holds what no master has, is made anew. */
async function settleReplicas(parts: LabParts, deadline: number): Promise<void> {
  const { vendor, vip, replicas } = parts;
  const patience = Math.min(deadline, Date.now() + rebuildAfterMs);
  const follow = await Promise.all(
    replicas.map(
      async (replica) =>
        !(await isErrant(parts, replica)) &&
        (await bringAbreast(vendor, replica, { source: vip.owner, deadline: patience })) &&
        !(await isErrant(parts, replica)),
    ),
  );
  const lost = replicas.filter((_, index) => !follow[index]);
  await rebuildReplicas(parts, lost);
  const settled = await Promise.all(
    lost.map((replica) => bringAbreast(vendor, replica, { source: vip.owner, deadline })),
  );
  if (!settled.every(Boolean)) throw await report(parts, lost);
}

async function report({ vendor }: LabParts, nodes: readonly LabNode[]): Promise<LabError> {
  const lines = nodes.map(async (node) => {
    if (!node.answers) return `${node.name}: ${node.process.state}`;
    const { receiving, applying, error } = await vendor.replicationStatus(node.ask);
    const position = await vendor.position(node.ask);
    const { waiting, acknowledgers } = await vendor.semiSyncStatus(node.ask);
    return (
      `${node.name}: receiving ${receiving}, applying ${applying}, position ${position}, ` +
      `semi-sync ${waiting} with ${acknowledgers}${error === '' ? '' : `, error: ${error}`}`
    );
  });
  return new LabError(
    `the lab did not heal within ${timeoutMs} ms:\n${(await Promise.all(lines)).join('\n')}`,
  );
}
