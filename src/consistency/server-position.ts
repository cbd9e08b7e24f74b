import { GtidList } from './gtid-list.ts';
import { GtidSet } from './gtid-set.ts';
import { InvalidPositionError, type Position, type PositionVendor } from './position.ts';

/** What a server said of its position. */
export interface ServerPosition {
  /** Reads that begin now see all of it. */
  readonly applied: Position;
  /** Reads so far have seen nothing beyond it. */
  readonly atMost: Position;
}

type Row = Readonly<Record<string, unknown>>;

/** A longer GTID set is not fetched with every probe, in characters. Servers without gaps have a few dozen per source. */
const longestFetched = 65_536;

const columns: Readonly<Record<PositionVendor, string>> = {
  // In this order: a transaction that leaves the first has entered the second.
  mysql:
    '@@GLOBAL.gtid_mode AS mode, @@GLOBAL.gtid_owned AS owned, ' +
    `IF(LENGTH(@@GLOBAL.gtid_executed) > ${longestFetched}, NULL, @@GLOBAL.gtid_executed) AS executed`,
  // In this order: what stood in the log first has been applied when the last says so.
  mariadb:
    '@@GLOBAL.gtid_binlog_state AS logged, @@GLOBAL.gtid_binlog_pos AS lastLogged, ' +
    '@@GLOBAL.rpl_semi_sync_master_enabled AS mayHoldBack, @@GLOBAL.gtid_slave_pos AS replicated',
};

/** Asks a server for its position; {@link readServerPosition} reads the answer. */
export function positionStatement(vendor: PositionVendor): string {
  return `SELECT ${columns[vendor]}`;
}

/**
 * Asks the same, after waiting until the server has `wanted` or `timeoutMs` have passed. The time is rounded up to what
 * a version can count: 0 and less would be no limit, or an error.
 */
export function waitStatement(wanted: Position, timeoutMs: number, version: string): string {
  const { vendor } = wanted;
  const wait = vendor === 'mysql' ? 'WAIT_FOR_EXECUTED_GTID_SET' : 'MASTER_GTID_WAIT';
  const seconds = countsWholeSeconds(vendor, version)
    ? Math.max(1, Math.ceil(timeoutMs / 1_000))
    : Math.max(0.001, timeoutMs / 1_000);
  return `SELECT ${wait}('${wanted}', ${seconds.toFixed(3)}) AS waited, ${columns[vendor]}`;
}

/**
 * Reads the answer to {@link positionStatement}. `undefined` when the server does not tell: its transactions have no
 * GTIDs, its GTID set is too long to be fetched every time, or the answer makes no sense.
 */
export function readServerPosition(
  vendor: PositionVendor,
  answer: Row,
  serverId: number,
): ServerPosition | undefined {
  try {
    return vendor === 'mysql' ? readMySql(answer) : readMariaDb(answer, serverId);
  } catch (error) {
    if (error instanceof InvalidPositionError) return undefined;
    throw error;
  }
}

function readMySql({ mode, owned, executed }: Row): ServerPosition | undefined {
  if (typeof executed !== 'string' || typeof mode !== 'string' || mode.startsWith('OFF')) return undefined;
  const applied = GtidSet.parse(executed);
  // `uuid:5#18:6#19`: behind the # stands the thread that is committing it.
  const committing = String(owned ?? '').replace(/#\d+/g, '');
  return { applied, atMost: committing === '' ? applied : applied.union(GtidSet.parse(committing)) };
}

/**
 * MariaDB has no variable for what reads see. `gtid_slave_pos` tells what was replicated, but only the last transaction
 * of each domain, whoever wrote it; the state of the binary log tells every writer's last transaction, but may be ahead
 * of what reads see. Its entries count when
 *
 * - the last transaction in the log of that domain is the one that was applied last, or
 * - the server itself has written them, as an earlier primary has: they are not in `gtid_slave_pos` at all. While
 *   semi-synchronous replication may hold back a commit that is logged already, that does not count.
 */
function readMariaDb({ logged, lastLogged, mayHoldBack, replicated }: Row, serverId: number): ServerPosition {
  const inLog = GtidList.parse(text(logged));
  const last = GtidList.parse(text(lastLogged));
  const slave = GtidList.parse(text(replicated));
  const settled = inLog.inDomainsOf(last.intersect(slave));
  const own = Number(mayHoldBack) === 0 ? inLog.from(serverId) : GtidList.parse('');
  return { applied: slave.union(settled).union(own), atMost: inLog.union(slave) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** MySQL 5.7 takes no fractions: half a second would be no limit. */
function countsWholeSeconds(vendor: PositionVendor, version: string): boolean {
  return vendor === 'mysql' && version.startsWith('5.');
}
