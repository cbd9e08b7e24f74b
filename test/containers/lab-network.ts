import { readFileSync } from 'node:fs';
import { getContainerRuntimeClient, Network, type StartedNetwork } from 'testcontainers';
import { LabError } from '../../src/testing/lab-error.ts';

/** A private Docker network and the addresses in it that Docker does not give away. */
export interface LabNetwork {
  readonly network: StartedNetwork;
  /** This host's interface in it. */
  readonly bridge: string;
  /** This host's address in it, which is what servers see of the test process. */
  readonly hostAddress: string;
  readonly vip: string;
  /** Where the prober comes from. */
  readonly proberAddresses: readonly string[];
  /** What accounts are granted to, such as `172.18.%`. */
  readonly pattern: string;
}

const proberAddressCount = 32;

/** Creates the network. Its name is the lab's, so that it can be found whatever happens. */
export async function startNetwork(labName: string): Promise<LabNetwork> {
  const network = await new Network({ nextUuid: () => labName }).start();
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const { IPAM } = await dockerode.getNetwork(network.getId()).inspect();
  const { Subnet: subnet, Gateway: hostAddress } = IPAM?.Config?.[0] ?? {};
  const [, first, second, third, bits] = /^(\d+)\.(\d+)\.(\d+)\.\d+\/(\d+)$/.exec(subnet ?? '') ?? [];
  if (hostAddress === undefined || bits === undefined || Number(bits) > 24) {
    throw new LabError(`the Docker network has no usable IPv4 subnet: ${subnet}`);
  }
  // Docker gives addresses away from the lower end.
  const upperEnd = (last: number): string => `${first}.${second}.${Number(third) | highBits(bits)}.${last}`;
  return {
    network,
    bridge: `br-${network.getId().slice(0, 12)}`,
    hostAddress,
    vip: upperEnd(99),
    proberAddresses: Array.from({ length: proberAddressCount }, (_, index) => upperEnd(200 + index)),
    pattern: Number(bits) <= 16 ? `${first}.${second}.%` : `${first}.${second}.${third}.%`,
  };
}

/** The bits of the third octet that are free in the subnet. */
function highBits(bits: string): number {
  return 2 ** Math.min(8, 24 - Number(bits)) - 1;
}

/** The hardware address behind an address, as this host believes; undefined while it knows none. */
export function neighbour(address: string): string | undefined {
  const line = readFileSync('/proc/net/arp', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${address} `));
  const [, , flags, hardware] = line?.split(/\s+/) ?? [];
  return flags === undefined || Number(flags) === 0 ? undefined : hardware;
}
