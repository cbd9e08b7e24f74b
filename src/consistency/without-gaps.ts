import { parsePosition } from './parse-position.ts';
import type { Position } from './position.ts';

/**
 * The position with one stretch per source, from its first to its last transaction. What lies in between came before
 * the last: whoever waits for the one has to wait for the others anyway, and it takes no more room however many there are.
 */
export function withoutGaps(position: Position): Position {
  if (position.vendor === 'mariadb') return position;
  const stretches = position.spans().map(({ source, first, last }) => `${source}:${first}-${last}`);
  return parsePosition('mysql', stretches.join(','));
}
