import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { LabError } from '../../src/testing/lab-error.ts';
import { labLabel } from './lab-name.ts';
import type { LabNetwork } from './lab-network.ts';

/** Where a container belongs. */
export interface ContainerPlace {
  readonly labName: string;
  readonly network: LabNetwork;
}

/** A container of the lab, before it runs. */
export class LabContainer extends GenericContainer {
  constructor(image: string, labName: string) {
    super(image);
    this.withLabels({ [labLabel]: labName }).withAddedCapabilities('NET_ADMIN', 'NET_RAW');
  }

  /** A machine of its own on the lab's network, with folders of this host in it. */
  asNode(network: LabNetwork, folders: readonly { source: string; target: string }[]): this {
    // Docker's new namespaces forward. A node that has lost the VIP would pass packets on to the new holder.
    this.hostConfig.Sysctls = { 'net.ipv4.ip_forward': '0' };
    return this.withNetwork(network.network).withBindMounts([...folders]);
  }

  /** In this host's network: what takes the rights over its interfaces. */
  asHost(): this {
    return this.withNetworkMode('host');
  }
}

/** Runs a command in the container and gives what it printed; rejects if it fails. */
export async function run(container: StartedTestContainer, command: readonly string[]): Promise<string> {
  const { exitCode, output } = await container.exec([...command]);
  if (exitCode === 0) return output;
  throw new LabError(`${command.join(' ')} ended with ${exitCode} in ${container.getName()}:\n${output}`);
}
