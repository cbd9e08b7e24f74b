import type { LabAddress } from './lab.ts';
import type { LabNode } from './lab-node.ts';
import type { Keeper } from './processes/keeper.ts';
import type { Progress } from './progress.ts';
import type { SemiSync } from './promotion.ts';
import type { LabRedis } from './redis.ts';
import type { LabAccounts, Vendor } from './vendors/vendor.ts';
import type { Vip } from './vip.ts';

/** Everything that faults and healing work on. */
export interface LabParts {
  readonly vendor: Vendor;
  readonly accounts: LabAccounts;
  readonly semiSync: SemiSync;
  readonly masters: readonly [LabNode, LabNode];
  readonly replicas: readonly LabNode[];
  readonly redis: LabRedis | undefined;
  readonly vip: Vip;
  readonly vipAddress: LabAddress;
  readonly keeper: Keeper;
  readonly progress: Progress;
}

/** Every database server, masters first. */
export function allNodes({ masters, replicas }: LabParts): LabNode[] {
  return [...masters, ...replicas];
}

/** The other master. */
export function peerOf({ masters: [a, b] }: LabParts, master: LabNode): LabNode {
  return master === a ? b : a;
}

/** Whether it is a master that does not hold the VIP. */
export function isStandby(parts: LabParts, node: LabNode): boolean {
  return node === peerOf(parts, parts.vip.owner);
}
