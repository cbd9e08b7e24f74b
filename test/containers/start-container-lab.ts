import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accounts } from '../../src/testing/accounts.ts';
import { follow } from '../../src/testing/connect-replication.ts';
import type { ServerName } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import { Keeper } from '../../src/testing/processes/keeper.ts';
import { vendors } from '../../src/testing/vendors/vendors.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Bridge } from './bridge.ts';
import { configureNodes } from './configure-nodes.ts';
import type { ContainerLab, ContainerLabOptions } from './container-lab.ts';
import { allNodes, type ContainerLabParts } from './container-lab-parts.ts';
import { type ContainerLabSettings, resolveOptions } from './container-options.ts';
import { ContainerRedis } from './container-redis.ts';
import { createNode, type LabPlace } from './create-nodes.ts';
import { Keepalived } from './keepalived.ts';
import { LabContainer } from './lab-container.ts';
import { imageOf } from './lab-images.ts';
import { newLabName } from './lab-name.ts';
import { startNetwork } from './lab-network.ts';
import { removeAbandonedLabs, removeLabs } from './remains.ts';
import { whatIsMissing } from './requirements.ts';
import { RunningContainerLab } from './running-container-lab.ts';
import { settle } from './settle.ts';
import { waitForOwner } from './vip-owner.ts';

const ownerTimeoutMs = 30_000;
const electionTimeoutMs = 20_000;
const headStartMs = 1_000;
const semiSyncTimeoutMs = 3_600_000;

/**
 * Starts the lab: two masters with keepalived, replicas and Redis, each a container. Needs Docker on this machine and
 * the images that `test/containers/setup.sh` builds.
 *
 * All of it is removed by `stop()`, and what a killed process has left by the next start on this machine.
 *
 * @throws LabError if a part is missing, or a server does not start
 */
export async function startContainerLab(options: ContainerLabOptions): Promise<ContainerLab> {
  const settings = resolveOptions(options);
  // What it would remove is removed here, and its image cannot be had everywhere.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const missing = await whatIsMissing();
  if (missing !== undefined) throw new LabError(`${missing}; test/containers/setup.sh sets it up on Debian`);
  await removeAbandonedLabs();
  const labName = newLabName();
  const keeper = new Keeper();
  const end = async (): Promise<void> => {
    await removeLabs((name) => name === labName);
    await keeper.finish();
  };
  try {
    const parts = await assemble(settings, labName, keeper);
    const [row] = await parts.masters[0].node.query<{ version: string }>('SELECT VERSION() AS version');
    return new RunningContainerLab(parts, { version: row?.version ?? '', end });
  } catch (error) {
    // What failed is the news; a failure to clean up is not.
    await end().catch(() => {});
    throw error;
  }
}

async function assemble(
  settings: ContainerLabSettings,
  labName: string,
  keeper: Keeper,
): Promise<ContainerLabParts> {
  const { vendor, replicas, onProgress = () => {} } = settings;
  const began = performance.now();
  const step = (what: string): void => onProgress(`${Math.round(performance.now() - began)} ms: ${what}`);
  const image = imageOf(vendor);
  const folder = join(tmpdir(), labName);
  keeper.removeAtEnd(folder);
  await mkdir(folder);
  const network = await startNetwork(labName);
  const place: LabPlace = { labName, network, folder };
  const names: ServerName[] = [
    'a',
    'b',
    ...Array.from({ length: replicas }, (_, n): ServerName => `r${n + 1}`),
  ];
  const [bridge, redis, ...nodes] = await Promise.all([
    Bridge.start(image, labName, network),
    settings.redis ? createRedis(place) : undefined,
    ...names.map((name) => createNode(settings, image, { place, name })),
  ]);
  const [a, b, ...replicaNodes] = nodes;
  if (a === undefined || b === undefined) throw new LabError('a lab has two masters');
  step(`containers run; the VIP is ${network.vip}`);
  await configureNodes(settings, network, nodes);
  const parts: ContainerLabParts = {
    vendor: vendors[vendor],
    semiSync: settings.semiSync ? { timeoutMs: semiSyncTimeoutMs } : undefined,
    network,
    bridge,
    masters: [
      { name: 'a', node: a, keepalived: new Keepalived(a.container, network.vip, join(folder, 'a')) },
      { name: 'b', node: b, keepalived: new Keepalived(b.container, network.vip, join(folder, 'b')) },
    ],
    replicas: replicaNodes,
    redis,
  };
  await startServers(parts, step);
  await Promise.all([electFirst(parts), connect(parts)]);
  step('a holds the VIP');
  await settle(parts);
  step('replicating');
  return parts;
}

async function createRedis({ labName, network }: LabPlace): Promise<ContainerRedis> {
  const container = await new LabContainer(imageOf('mariadb'), labName).asNode(network, []).start();
  return new ContainerRedis(container, container.getIpAddress(labName));
}

async function startServers(parts: ContainerLabParts, step: (what: string) => void): Promise<void> {
  await Promise.all([...allNodes(parts).map((node) => node.start()), parts.redis?.start()]);
  step('servers answer');
}

/** Lets a be the first to hold the VIP: each waits some seconds for adverts of the other one, and b begins later. */
async function electFirst(parts: ContainerLabParts): Promise<void> {
  const [a, b] = parts.masters;
  await a.keepalived.program.start();
  await waitUntil(async () => (await a.keepalived.state()) !== 'FAULT', electionTimeoutMs);
  await sleep(headStartMs);
  await b.keepalived.program.start();
  await waitForOwner(parts, undefined, ownerTimeoutMs);
}

async function connect(parts: ContainerLabParts): Promise<void> {
  const { vendor, masters, replicas, network } = parts;
  const [a, b] = [masters[0].node, masters[1].node];
  await Promise.all([
    follow({ vendor, accounts }, a, b),
    follow({ vendor, accounts }, b, a),
    // By the VIP they follow a failover by themselves.
    ...replicas.map((replica) => follow({ vendor, accounts }, replica, { host: network.vip, port: 3306 })),
  ]);
}
