import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import type { ServerName } from '../../src/testing/index.ts';
import type { ContainerLabSettings } from './container-options.ts';
import { DatabaseNode } from './database-node.ts';
import { LabContainer } from './lab-container.ts';
import type { LabNetwork } from './lab-network.ts';
import { serverCommand } from './server-command.ts';

/** Where the containers of a lab go. */
export interface LabPlace {
  readonly labName: string;
  readonly network: LabNetwork;
  readonly folder: string;
}

/** Starts the container of a database server; the server itself does not run yet. */
export async function createNode(
  settings: ContainerLabSettings,
  image: string,
  { place, name }: { readonly place: LabPlace; readonly name: ServerName },
): Promise<DatabaseNode> {
  const folder = join(place.folder, name);
  const mounts = [
    { source: join(folder, 'run'), target: '/run/mysqld' },
    { source: join(folder, 'log'), target: '/var/log/lab' },
    { source: join(place.folder, 'exchange'), target: '/exchange' },
  ];
  await Promise.all(mounts.map(({ source }) => mkdir(source, { recursive: true })));
  const container = await new LabContainer(image, place.labName).asNode(place.network, mounts).start();
  return new DatabaseNode({
    name,
    container,
    folder,
    host: container.getIpAddress(place.labName),
    hardwareAddress: await hardwareAddressOf(container, place.labName),
    command: serverCommand(settings, name),
  });
}

async function hardwareAddressOf(container: StartedTestContainer, networkName: string): Promise<string> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const { NetworkSettings } = await dockerode.getContainer(container.getId()).inspect();
  return NetworkSettings.Networks[networkName]?.MacAddress ?? '';
}
