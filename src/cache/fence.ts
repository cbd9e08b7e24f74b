import { parsePosition } from '../consistency/parse-position.ts';
import { InvalidPositionError, type Position } from '../consistency/position.ts';

/**
 * What a read must see not to be older than the last invalidation, as it stands in a record: empty for nothing,
 * `'?'` where nobody knows, else a position with one stretch per source, as `uuid:3-9` or `0-1-9`, separated by commas.
 * What a value is proven to have seen is written in the same way, with the gaps that there are.
 */
export type Fence = string;

/** Nobody knows what must be seen: only what the primary has now is enough. */
export const unknownFence: Fence = '?';

/** Longer ones are given up in favour of {@link unknownFence}, in characters. */
export const longestFence = 1_024;

/** Writes a position as it is: nothing may be added to it, and nothing is claimed that it lacks. */
export function exactFence(position: Position): Fence {
  const fence = position.toString();
  return fence.length > longestFence ? unknownFence : fence;
}

/**
 * Writes a position so that a store can add to it without knowing what it means: gaps between a source's transactions
 * are closed, so that it asks for no less.
 */
export function fenceOf(position: Position): Fence {
  const isMySql = position.vendor === 'mysql';
  const fence = position
    .spans()
    .map(({ source, first, last }) => (isMySql ? `${source}:${first}-${last}` : `${source}-${last}`))
    .join(',');
  return fence.length > longestFence ? unknownFence : fence;
}

/** The fence of a commit that was answered with `text`; unknown when the server has not said where it stands. */
export function fenceOfCommit(vendor: Position['vendor'], text: string | undefined): Fence {
  if (text === undefined) return unknownFence;
  try {
    return fenceOf(parsePosition(vendor, text));
  } catch (error) {
    if (error instanceof InvalidPositionError) return unknownFence;
    throw error;
  }
}

/** The position behind a fence: what no server can be asked for, and what is no position, counts as unknown. */
export function readFence(fence: Fence): Position | 'nothing' | 'unknown' {
  if (fence === '') return 'nothing';
  if (fence === unknownFence) return 'unknown';
  try {
    return parsePosition(fence.includes(':') ? 'mysql' : 'mariadb', fence);
  } catch (error) {
    if (error instanceof InvalidPositionError) return 'unknown';
    throw error;
  }
}

/** What satisfies all of them. */
export function unionOfFences(fences: readonly Fence[]): Position | 'nothing' | 'unknown' {
  let union: Position | undefined;
  for (const fence of fences) {
    const position = readFence(fence);
    if (position === 'nothing') continue;
    if (position === 'unknown' || (union !== undefined && union.vendor !== position.vendor)) return 'unknown';
    union = union === undefined ? position : union.union(position);
  }
  return union ?? 'nothing';
}

/** The fence after a further invalidation. */
export function mergedFence(fence: Fence, added: Fence): Fence {
  const union = unionOfFences([fence, added]);
  if (union === 'nothing') return '';
  return union === 'unknown' ? unknownFence : fenceOf(union);
}
