import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { accounts } from './accounts.ts';
import type { ServerBinary } from './binaries/server-binary.ts';
import type { LabAddress } from './lab.ts';
import type { ServerName } from './lab-fault.ts';
import { LabNode } from './lab-node.ts';
import type { Keeper } from './processes/keeper.ts';
import { copyDataFolder } from './template.ts';
import type { Vendor } from './vendors/vendor.ts';

/** What the servers of a lab are made from. */
export interface NodePlan {
  readonly vendor: Vendor;
  readonly binary: ServerBinary;
  /** Masters first. */
  readonly addresses: readonly LabAddress[];
  readonly folder: string;
  readonly template: string;
  readonly keeper: Keeper;
  readonly serverOptions: readonly string[];
  /** Called when a server has ended, for whatever reason. */
  readonly onEnd: () => void;
}

/** Makes the servers with their data folders; none is started. */
export function createNodes(plan: NodePlan): Promise<LabNode[]> {
  return Promise.all(plan.addresses.map((address, index) => createNode(plan, address, index)));
}

async function createNode(plan: NodePlan, address: LabAddress, index: number): Promise<LabNode> {
  const { vendor, binary, template, keeper, serverOptions, onEnd } = plan;
  const name = nameOf(index);
  const folder = join(plan.folder, name);
  const dataFolder = join(folder, 'data');
  const socket = join(folder, 's.sock');
  await mkdir(folder);
  await copyDataFolder(template, dataFolder, keeper);
  const serverId = index + 1;
  const autoIncrement = index < 2 ? { autoIncrement: { increment: 2, offset: serverId } } : {};
  const args = vendor.serverArgs(binary, { ...address, ...autoIncrement, serverId, dataFolder, socket });
  return new LabNode(
    {
      name,
      address,
      folder,
      dataFolder,
      socket,
      command: binary.command,
      args: [...args, ...serverOptions],
      env: binary.env,
      admin: accounts.admin,
    },
    keeper,
    onEnd,
  );
}

function nameOf(index: number): ServerName {
  if (index < 2) return index === 0 ? 'a' : 'b';
  return `r${index - 1}`;
}
