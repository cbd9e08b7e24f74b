import type { MasterName, ServerName } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import type { SemiSync } from '../../src/testing/promotion.ts';
import type { Vendor } from '../../src/testing/vendors/vendor.ts';
import type { Bridge } from './bridge.ts';
import type { ContainerRedis } from './container-redis.ts';
import type { DatabaseNode } from './database-node.ts';
import type { Keepalived } from './keepalived.ts';
import type { LabNetwork } from './lab-network.ts';

/** A master: its database server and its keepalived. */
export interface Master {
  readonly name: MasterName;
  readonly node: DatabaseNode;
  readonly keepalived: Keepalived;
}

/** Everything that faults and healing work on. */
export interface ContainerLabParts {
  readonly vendor: Vendor;
  readonly semiSync: SemiSync;
  readonly network: LabNetwork;
  readonly bridge: Bridge;
  readonly masters: readonly [Master, Master];
  readonly replicas: readonly DatabaseNode[];
  readonly redis: ContainerRedis | undefined;
}

/** Every database server, masters first. */
export function allNodes({ masters: [a, b], replicas }: ContainerLabParts): DatabaseNode[] {
  return [a.node, b.node, ...replicas];
}

/** The server of that name. */
export function nodeOf(parts: ContainerLabParts, name: ServerName): DatabaseNode {
  const node = allNodes(parts).find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  throw new LabError(
    `this lab has no server ${name}; it has ${allNodes(parts)
      .map((each) => each.name)
      .join(', ')}`,
  );
}

/** The master of that name. */
export function masterOf({ masters: [a, b] }: ContainerLabParts, name: MasterName): Master {
  return name === 'a' ? a : b;
}

/** The other master. */
export function peerOf({ masters: [a, b] }: ContainerLabParts, master: Master): Master {
  return master === a ? b : a;
}
