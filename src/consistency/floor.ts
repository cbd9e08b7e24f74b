import { parsePosition } from './parse-position.ts';
import { InvalidPositionError, type Position, type PositionVendor } from './position.ts';
import { withoutGaps } from './without-gaps.ts';

/** One server in one life, known by these two in every process. */
export interface ServerLife {
  /** Made of its identity. */
  readonly key: string;
  readonly startedAtMs: number;
}

/** A server whose state was read, and when by `performance.now()`: what it says of itself later covers that. */
export interface SeenServer extends ServerLife {
  readonly at: number;
}

/** The least that reads must see. Immutable. */
export interface Floor {
  /** What was written, and what was read elsewhere. */
  readonly position: Position | undefined;
  /** Something was written, and the server has not said where: only the primary is known to have it. */
  readonly isUnknown: boolean;
  /** Servers that were read since anything else covered what they showed. */
  readonly seen: readonly SeenServer[];
  /** When the primary was read last, by `performance.now()`. */
  readonly primaryAt: number | undefined;
}

/** Nothing need be seen. */
export const noFloor: Floor = Object.freeze({
  position: undefined,
  isUnknown: false,
  seen: Object.freeze([]),
  primaryAt: undefined,
});

export function isNoFloor({ position, isUnknown, seen, primaryAt }: Floor): boolean {
  return (position?.isEmpty ?? true) && !isUnknown && seen.length === 0 && primaryAt === undefined;
}

export function sameLife(a: ServerLife, b: ServerLife): boolean {
  return a.key === b.key && a.startedAtMs === b.startedAtMs;
}

/** After a write that was committed at `text`, in the notation of the vendor. Anything else is a write without a position. */
export function afterWrite(floor: Floor, vendor: PositionVendor, text: string): Floor {
  try {
    return withPosition(floor, parsePosition(vendor, text));
  } catch (error) {
    if (error instanceof InvalidPositionError) return afterUnplacedWrite(floor);
    throw error;
  }
}

/** After a write that was committed nobody knows where. */
export function afterUnplacedWrite(floor: Floor): Floor {
  return { ...floor, isUnknown: true };
}

/** With a position that has to be seen. One of another vendor cannot be compared, which leaves the primary. */
export function withPosition(floor: Floor, position: Position): Floor {
  if (floor.position === undefined) return { ...floor, position: withoutGaps(position) };
  if (floor.position.vendor !== position.vendor) return afterUnplacedWrite(floor);
  return { ...floor, position: withoutGaps(floor.position.union(position)) };
}

/** After the primary was read, or written to by a statement that may have changed nothing. */
export function afterPrimaryRead(floor: Floor, at: number): Floor {
  return { ...floor, primaryAt: Math.max(at, floor.primaryAt ?? Number.NEGATIVE_INFINITY) };
}

/**
 * After a read on a server that was chosen for `covered`: it stands for all the servers in there from now on, but not
 * for what others have read meanwhile.
 */
export function afterReplicaRead(floor: Floor, covered: Floor, server: SeenServer): Floor {
  const rest = withoutCovered(floor, covered);
  return { ...rest, seen: [...rest.seen.filter((seen) => !sameLife(seen, server)), server] };
}

/** The same where the server will not be known again, and said that nothing beyond `position` was seen there. */
export function afterCheckedRead(floor: Floor, covered: Floor, position: Position): Floor {
  return withPosition(withoutCovered(floor, covered), position);
}

function withoutCovered(floor: Floor, covered: Floor): Floor {
  const { seen, primaryAt } = floor;
  const isCovered =
    primaryAt !== undefined && covered.primaryAt !== undefined && primaryAt <= covered.primaryAt;
  return {
    ...floor,
    seen: seen.filter((server) => !covered.seen.includes(server)),
    primaryAt: isCovered ? undefined : primaryAt,
  };
}

/** After a read on the primary that was chosen for `covered`; the primary has what every replica has. */
export function afterFallbackRead(floor: Floor, covered: Floor, at: number): Floor {
  const seen = floor.seen.filter((server) => !covered.seen.includes(server));
  return afterPrimaryRead({ ...floor, seen }, at);
}

/** What satisfies both. */
export function unionOfFloors(a: Floor, b: Floor): Floor {
  if (a === b || isNoFloor(b)) return a;
  if (isNoFloor(a)) return b;
  const seen = [...a.seen];
  for (const server of b.seen) {
    const index = seen.findIndex((other) => sameLife(other, server));
    const known = seen[index];
    if (known === undefined) seen.push(server);
    else if (server.at > known.at) seen[index] = server;
  }
  const both: Floor = {
    position: a.position,
    isUnknown: a.isUnknown || b.isUnknown,
    seen,
    primaryAt: laterOf(a.primaryAt, b.primaryAt),
  };
  return b.position === undefined ? both : withPosition(both, b.position);
}

/** Without what is known to be lost: nobody will ever have it. */
export function withoutLost(floor: Floor, lost: Position): Floor {
  const { position } = floor;
  return position === undefined || position.vendor !== lost.vendor
    ? floor
    : { ...floor, position: position.subtract(lost) };
}

function laterOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
