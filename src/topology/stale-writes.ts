import type { Position } from '../consistency/position.ts';
import { type Identity, sameIdentity } from '../pool/identity.ts';
import { begunBy, type MasterLook, type Received, receivedFrom } from './master-look.ts';

/** What is still on its way from the old primary when the new one opens may arrive within this time. */
const tailMs = 2_000;

/** Transactions of a past primary that came to the new one late. */
export interface StaleWrite {
  readonly source: Identity;
  readonly positions: Position;
  /** What the new primary had of that server before. */
  readonly after: Position;
}

/**
 * Finds what past primaries wrote that the primary of one epoch did not have when it was opened, by looks at that
 * primary. The rest of a planned move is no news, however long replication takes over it: what the new primary had
 * fetched and not yet applied, and what the old one, if it lived on, had written by then. Where the old one cannot be
 * looked at, what follows within two seconds counts as rest, if replication from it was never cut. Pure.
 */
export class StaleWrites {
  readonly #openedAt: number;
  readonly #pasts: readonly Identity[];
  /** By source: what the primary has, or was known to have fetched. */
  #known: ReadonlyMap<Identity, Position> | undefined;
  /** By source: what it had written itself when the epoch opened. */
  readonly #expected = new Map<Identity, Position>();
  #tailUntil = Number.NEGATIVE_INFINITY;

  /** `pasts`: the primaries of earlier epochs, without the present one. */
  constructor(openedAt: number, pasts: readonly Identity[]) {
    this.#openedAt = openedAt;
    this.#pasts = pasts;
  }

  /** Whether the next look has to tell what was received too. */
  wantsReceived(now: number): boolean {
    return this.#pasts.length > 0 && (this.#known === undefined || now < this.#tailUntil);
  }

  /** Takes note of a look at a past primary that was known already when the epoch opened, and has not died since. */
  lookAtPast(identity: Identity, { askedAt, answeredAt, position }: MasterLook): void {
    const source = this.#pasts.find((past) => sameIdentity(past, identity));
    const isPrompt = askedAt >= this.#openedAt && answeredAt < this.#openedAt + tailMs;
    if (source === undefined || position === undefined || !isPrompt || this.#expected.has(source)) return;
    this.#expected.set(source, begunBy(source, position));
  }

  /** Takes note of a look at the primary. Returns what has arrived since the last one that should not have. */
  look({ askedAt, position }: MasterLook, received: Received | undefined): readonly StaleWrite[] {
    if (this.#pasts.length === 0 || position === undefined || askedAt < this.#openedAt) return [];
    const before = this.#known;
    if (before === undefined && received === undefined) return [];
    if (before === undefined && received?.connected === true) this.#tailUntil = this.#openedAt + tailMs;
    const known = new Map(before);
    const found = this.#pasts.flatMap((source): StaleWrite[] => {
      const has = begunBy(source, position);
      const after = known.get(source);
      const expected = this.#expected.get(source);
      const isRest = after === undefined || (askedAt < this.#tailUntil && expected === undefined);
      const fetched = isRest && received !== undefined ? receivedFrom(source, received) : undefined;
      known.set(
        source,
        [after, fetched].reduce<Position>((all, each) => (each ? all.union(each) : all), has),
      );
      if (isRest) return [];
      const late = has.subtract(after);
      const positions = expected === undefined ? late : late.subtract(expected);
      // Without what was fetched and is not there yet.
      const had = after.subtract(after.subtract(has));
      return positions.isEmpty ? [] : [{ source, positions, after: had }];
    });
    this.#known = known;
    return found;
  }
}
