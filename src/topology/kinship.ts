import type { Position } from '../consistency/position.ts';
import type { Identity } from '../pool/identity.ts';
import { begunBy } from './master-look.ts';

/** A server, and what it has as far as is known. */
export interface Holder {
  readonly identity: Identity;
  readonly position: Position | undefined;
}

/**
 * Whether a master and the primary are known to have exchanged transactions, or nothing speaks against it: of two in
 * one ring at least one has what the other began, unless neither has begun anything. Pure.
 */
export function isRelated(master: Holder, primary: Holder): boolean {
  if (master.position === undefined) return true;
  if (primary.position === undefined) return has(master.position, primary) || isBlank(master);
  if (master.position.vendor !== primary.position.vendor) return false;
  if (has(master.position, primary) || has(primary.position, master)) return true;
  return isBlank(master) && isBlank(primary);
}

function has(position: Position, { identity }: Holder): boolean {
  return !begunBy(identity, position).isEmpty;
}

function isBlank({ identity, position }: Holder): boolean {
  return position === undefined || begunBy(identity, position).isEmpty;
}
