import { type Identity, sameIdentity } from '../pool/identity.ts';

/** Two servers that answer at the VIP by turns within this time are both taken for owners of it. */
const turnsWithinMs = 10_000;

interface Turn {
  readonly identity: Identity;
  lastAt: number;
}

/** Notices when the VIP is answered by A, by B, and by A again: two servers hold it, or it goes to and fro. Pure. */
export class VipTurns {
  #before: Turn | undefined;
  #now: Turn | undefined;

  /** Somebody answers at the VIP. Returns the other server if this is the third turn within 10 s. */
  answered(identity: Identity, now: number): Identity | undefined {
    const last = this.#now;
    if (last !== undefined && sameIdentity(last.identity, identity)) {
      last.lastAt = now;
      return undefined;
    }
    const first = this.#before;
    this.#before = last;
    this.#now = { identity, lastAt: now };
    if (first === undefined || !sameIdentity(first.identity, identity)) return undefined;
    return now - first.lastAt <= turnsWithinMs ? last?.identity : undefined;
  }
}
