import {
  afterUnplacedWrite,
  type Floor,
  noFloor,
  unionOfFloors,
  withPosition,
} from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import { exactFence, type Fence, fenceOf, unionOfFences, unknownFence } from './fence.ts';
import type { Opened } from './store.ts';

/** What a load must see. */
export interface LoadNeed {
  readonly floor: Floor;
  /** What its value will then be known to have seen, if what it was made of was asked whether it has that. */
  readonly proven: Fence;
  /** What it will be known to have seen in any case: the primary has its own commits. */
  readonly provenAnyway: Fence;
  /** The fence that takes the place of unknown ones; `undefined` when there is none to be had. */
  readonly learnt: Fence | undefined;
}

/**
 * Finds out what a load must see: what the last invalidations of the entry and its tags ask for, and `floor`. Where
 * one of them is unknown or under way, that is what the primary has now, which `position` tells; nothing less than the
 * primary itself will do when it does not.
 */
export async function loadNeed(
  opened: readonly Opened[],
  floor: Floor,
  position: () => Promise<Position | undefined>,
): Promise<LoadNeed> {
  const isPending = opened.some((record) => record.isPending);
  const fence = isPending ? 'unknown' : unionOfFences(opened.map((record) => record.fence));
  if (fence === 'nothing') return needOf(floor, undefined, undefined);
  if (fence !== 'unknown') return needOf(withAlso(floor, fence), fence, undefined);
  const now = await position();
  if (now === undefined || now.isEmpty) return needOf(afterUnplacedWrite(floor), undefined, undefined);
  const learnt = fenceOf(now);
  return needOf(withAlso(floor, now), now, learnt === unknownFence ? undefined : learnt);
}

function withAlso(floor: Floor, position: Position): Floor {
  return unionOfFloors(floor, withPosition(noFloor, position));
}

function needOf(floor: Floor, fence: Position | undefined, learnt: Fence | undefined): LoadNeed {
  return { floor, proven: provenBy(floor.position), provenAnyway: provenBy(fence), learnt };
}

function provenBy(position: Position | undefined): Fence {
  return position === undefined ? '' : exactFence(position);
}
