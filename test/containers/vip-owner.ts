import { setTimeout as sleep } from 'node:timers/promises';
import type { MasterName } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import type { ContainerLabParts, Master } from './container-lab-parts.ts';
import { neighbour } from './lab-network.ts';

const pauseMs = 20;

/** The master that this host's packets to the VIP reach; undefined while the host knows of none. */
export function reachedMaster({ network, masters }: ContainerLabParts): Master | undefined {
  const hardware = neighbour(network.vip);
  return masters.find(({ node }) => node.hardwareAddress === hardware);
}

/** The masters that have the VIP on their interface. */
export async function vipHolders({ masters }: ContainerLabParts): Promise<MasterName[]> {
  const holds = await Promise.all(masters.map(({ keepalived }) => keepalived.holdsVip()));
  return masters.filter((_, index) => holds[index]).map(({ name }) => name);
}

/**
 * Waits until a master, or the one of that name, holds the VIP, is reached there and accepts writes. Nobody logs in at
 * the VIP for that: a greeting that was broken off would count against this host.
 */
export async function waitForOwner(
  parts: ContainerLabParts,
  name: MasterName | undefined,
  timeoutMs: number,
): Promise<Master> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    parts.bridge.pokeVip();
    const reached = reachedMaster(parts);
    if (reached !== undefined && (name === undefined || reached.name === name) && (await isOwner(reached))) {
      return reached;
    }
    if (Date.now() > deadline) throw await notOwned(parts, name, timeoutMs);
    await sleep(pauseMs);
  }
}

async function isOwner({ node, keepalived }: Master): Promise<boolean> {
  const isWritable = await node.isWritable().catch(() => false);
  return isWritable && (await keepalived.holdsVip());
}

async function notOwned(
  parts: ContainerLabParts,
  name: MasterName | undefined,
  timeoutMs: number,
): Promise<LabError> {
  const lines = parts.masters.map(async (master) => {
    const { node, keepalived } = master;
    const writable = await node.isWritable().catch(() => 'no answer');
    const log = (await keepalived.log()).trimEnd().split('\n').slice(-15).join('\n');
    return (
      `${master.name}: mysqld ${node.program.state}, writable ${writable}, keepalived ${await keepalived.state()}, ` +
      `holds the VIP ${await keepalived.holdsVip()}, its log:\n${log}`
    );
  });
  const reached = reachedMaster(parts)?.name ?? 'nobody';
  return new LabError(
    `${name ?? 'no master'} did not become the writable holder of the VIP within ${timeoutMs} ms; ` +
      `this host reaches ${reached}\n${(await Promise.all(lines)).join('\n')}`,
  );
}
