import { GtidList } from './gtid-list.ts';
import { GtidSet } from './gtid-set.ts';
import type { Position, PositionVendor } from './position.ts';

/**
 * Reads a position in the notation of a vendor.
 *
 * @throws {@link InvalidPositionError} for anything else, and for more than `maxLength` characters.
 */
export function parsePosition(vendor: PositionVendor, text: string, maxLength?: number): Position {
  return vendor === 'mysql' ? GtidSet.parse(text, maxLength) : GtidList.parse(text, maxLength);
}
