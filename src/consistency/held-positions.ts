import { GtidList } from './gtid-list.ts';
import { parsePosition } from './parse-position.ts';
import type { Position } from './position.ts';

/** The question to a server what it lacks of a position; {@link missingIn} reads the answer. */
export function missingStatement(wanted: Position): string {
  return wanted.vendor === 'mysql'
    ? `SELECT GTID_SUBTRACT('${wanted}', @@GLOBAL.gtid_executed) AS missing`
    : 'SELECT @@GLOBAL.gtid_binlog_state AS logged, @@GLOBAL.gtid_slave_pos AS applied';
}

/**
 * What a server lacks. On MariaDB it is compared server by server: within one domain a server may be ahead of what it
 * lacks. A standby that does not log what it replicates shows it in `gtid_slave_pos` only.
 *
 * @throws {@link InvalidPositionError} when the answer cannot be read.
 */
export function missingIn(wanted: Position, answer: Readonly<Record<string, unknown>>): Position {
  if (wanted.vendor === 'mysql') return parsePosition('mysql', String(answer.missing));
  const held = GtidList.parse(String(answer.logged)).union(GtidList.parse(String(answer.applied)));
  return wanted.subtract(held);
}
