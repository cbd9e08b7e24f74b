import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { follow } from './connect-replication.ts';
import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';
import { peerOf } from './lab-parts.ts';
import { launch } from './launch.ts';
import { copyDataFolder } from './template.ts';

/** What it received, where it stood, and identity: what a copy of a server must make for itself. */
export const ownToServer = /^(relay\.|relay-log\.|master\.info|multi-master|auto\.cnf)/;

/** Makes replicas anew from the standby. */
export async function rebuildReplicas(parts: LabParts, replicas: readonly LabNode[]): Promise<void> {
  if (replicas.length === 0) return;
  await copyServer(parts, replicas, peerOf(parts, parts.vip.owner));
  await Promise.all(replicas.map((replica) => follow(parts, replica, parts.vipAddress)));
}

/** Makes the standby anew from the holder of the VIP, which forgets what it received from it and did not apply. */
export async function rebuildStandby(parts: LabParts): Promise<void> {
  const { vendor, vip } = parts;
  const owner = vip.owner;
  const standby = peerOf(parts, owner);
  await owner.askAll([vendor.stopReplication('both'), vendor.forgetSource]);
  await copyServer(parts, [standby], owner);
  await follow(parts, standby, owner);
  await follow(parts, owner, standby);
}

/**
 * Gives servers the data and binary logs of another one, which stands still for that moment: what its files hold then
 * is what they would hold after `kill -9`, so a copy knows by itself how far it is.
 */
async function copyServer(parts: LabParts, nodes: readonly LabNode[], donor: LabNode): Promise<void> {
  const each = async (step: (node: LabNode) => Promise<void>): Promise<void> => {
    await Promise.all(nodes.map(step));
  };
  await each(async ({ process, dataFolder }) => {
    await process.kill();
    await rm(dataFolder, { recursive: true, force: true });
  });
  await donor.process.freeze();
  try {
    await each(({ dataFolder }) => copyDataFolder(donor.dataFolder, dataFolder, parts.keeper));
  } finally {
    donor.process.thaw();
  }
  await each(async (node) => {
    const files = await readdir(node.dataFolder);
    const own = files.filter((file) => ownToServer.test(file));
    await Promise.all(own.map((file) => rm(join(node.dataFolder, file))));
    await launch(parts, node);
    await node.askAll([parts.vendor.forgetSource, ...parts.vendor.continueFromData]);
  });
}
