import { readFileSync } from 'node:fs';
import type { LabNetwork } from './lab-network.ts';

/** The addresses of a node and of the other master. */
export interface NodeAddresses {
  readonly serverId: number;
  readonly own: string;
  readonly peer: string;
}

/** A file of docs/keepalived, whose addresses are master a's in the docs, as it stands on that node of the lab. */
export function fillIn(
  file: string,
  { vip }: Pick<LabNetwork, 'vip'>,
  { serverId, own, peer }: NodeAddresses,
): string {
  const addresses = new Map([
    ['192.168.3.99', vip],
    ['192.168.3.100', own],
    ['192.168.3.101', peer],
  ]);
  return readFileSync(new URL(`../../docs/keepalived/${file}`, import.meta.url), 'utf8')
    .replaceAll(/192\.168\.3\.\d+/g, (address) => addresses.get(address) ?? address)
    .replace(/router_id db-a$/m, `router_id db-${serverId}`)
    .replace(/^(server_id|gtid_domain_id|auto_increment_offset) = 1$/gm, `$1 = ${serverId}`);
}
