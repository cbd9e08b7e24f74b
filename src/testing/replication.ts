import { setTimeout as sleep } from 'node:timers/promises';
import type { Askable } from './askable.ts';
import type { ReplicationThread, Vendor } from './vendors/vendor.ts';

const pauseMs = 20;
const restartEveryMs = 500;

/** Whether both replication threads of the server run. */
export async function isReplicating(vendor: Vendor, node: Askable): Promise<boolean> {
  if (!node.answers) return false;
  const { receiving, applying } = await vendor.replicationStatus(node.ask);
  return receiving && applying;
}

/** Whether the server has applied everything it has received. */
export async function hasAppliedAll(vendor: Vendor, node: Askable): Promise<boolean> {
  const { received } = await vendor.replicationStatus(node.ask);
  return vendor.holds(node.ask, received);
}

/** Whether the server replicates and has what the other one has now. */
export async function isAbreast(vendor: Vendor, node: Askable, source: Askable): Promise<boolean> {
  return (await isReplicating(vendor, node)) && vendor.holds(node.ask, await vendor.position(source.ask));
}

/**
 * Makes the server replicate, starting its threads again wherever they stop, until it has everything that the other
 * one had at first. Gives false if that takes longer than until the deadline.
 */
export async function bringAbreast(
  vendor: Vendor,
  node: Askable,
  { source, deadline }: { readonly source: Askable; readonly deadline: number },
): Promise<boolean> {
  const position = await vendor.position(source.ask);
  for (let nextRestart = 0; Date.now() < deadline; await sleep(pauseMs)) {
    const replicates = await isReplicating(vendor, node);
    if (replicates && (await vendor.holds(node.ask, position))) return true;
    if (replicates || Date.now() < nextRestart) continue;
    // A thread that waits for its next attempt is not stopped: only stopping makes it try at once.
    await node.askAll([vendor.stopReplication('receiver'), vendor.startReplication('both')]);
    nextRestart = Date.now() + restartEveryMs;
  }
  return false;
}

/** Stops or starts one thread of a server's replication. */
export async function switchReplication(
  vendor: Vendor,
  node: Askable,
  kind: 'stop-applier' | 'start-applier' | 'stop-receiver' | 'start-receiver',
): Promise<void> {
  const thread: ReplicationThread = kind.endsWith('applier') ? 'applier' : 'receiver';
  await node.ask(kind.startsWith('stop') ? vendor.stopReplication(thread) : vendor.startReplication(thread));
}
