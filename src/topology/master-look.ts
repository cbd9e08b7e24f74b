import { GtidList } from '../consistency/gtid-list.ts';
import { GtidSet } from '../consistency/gtid-set.ts';
import { parsePosition } from '../consistency/parse-position.ts';
import type { Position } from '../consistency/position.ts';
import { ownCommand, rowsOf } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Identity } from '../pool/identity.ts';
import { isWritable, writabilityStatement } from '../pool/session.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { Vendor } from '../resilience/failures.ts';

/** What one look at a master has shown. */
export interface MasterLook {
  /** By `performance.now()`: what it shows was so then or a little later. */
  readonly askedAt: number;
  /** What it shows was so by then: a server that stands still answers late. */
  readonly answeredAt: number;
  readonly writable: boolean;
  /** Everything that the server has executed; `undefined` where it keeps no GTIDs. */
  readonly position: Position | undefined;
}

/** What a master has fetched from others, applied or not. */
export interface Received {
  /** Per channel, as the vendor writes it. */
  readonly positions: readonly Position[];
  /** At least one channel is connected to its source. */
  readonly connected: boolean;
}

type Row = Readonly<Record<string, unknown>>;

const positionColumns: Readonly<Record<Vendor, string>> = {
  mysql: "@@global.gtid_mode IN ('ON', 'ON_PERMISSIVE') AS keepsGtids, @@global.gtid_executed AS executed",
  mariadb:
    '@@global.log_bin AS keepsGtids, @@global.gtid_binlog_state AS executed, @@global.gtid_slave_pos AS applied',
};

const receivedStatements: Readonly<Record<Vendor, string>> = {
  mysql:
    'SELECT SERVICE_STATE AS state, RECEIVED_TRANSACTION_SET AS received FROM performance_schema.replication_connection_status',
  mariadb: 'SHOW ALL SLAVES STATUS',
};

/** What the account needs for {@link askReceived}. */
export const receivedGrants: Readonly<Record<Vendor, string>> = {
  mysql: 'GRANT SELECT ON performance_schema.replication_connection_status',
  mariadb: 'GRANT SLAVE MONITOR ON *.*',
};

/** Asks whether the server accepts writes, and what it has. Rejects with `Failed` or `InvalidPositionError`. */
export async function askMaster(connection: Connection, deadline: Deadline): Promise<MasterLook> {
  const { vendor } = connection.facts;
  const askedAt = performance.now();
  const [row = {}] = await ask(
    connection,
    `${writabilityStatement(vendor)}, ${positionColumns[vendor]}`,
    deadline,
  );
  const answeredAt = performance.now();
  const position =
    Number(row.keepsGtids) === 1
      ? parsePosition(vendor, text(row.executed)).union(parsePosition(vendor, text(row.applied)))
      : undefined;
  return { askedAt, answeredAt, writable: isWritable(row), position };
}

/** Asks what the server has fetched. Rejects with `Failed`, also where the grant is missing. */
export async function askReceived(connection: Connection, deadline: Deadline): Promise<Received> {
  const { vendor } = connection.facts;
  const rows = await ask(connection, receivedStatements[vendor], deadline);
  return {
    positions: rows.map((row) => parsePosition(vendor, text(row.received ?? row.Gtid_IO_Pos))),
    connected: rows.some((row) => row.state === 'ON' || row.Slave_IO_Running === 'Yes'),
  };
}

/** The part of a position that one server began itself. */
export function begunBy({ uuid, serverId }: Identity, position: Position): Position {
  if (position instanceof GtidSet) return position.from(uuid);
  return position instanceof GtidList ? position.from(serverId) : position;
}

/**
 * What a server has fetched of the transactions that another one began. MariaDB names the last transaction of each
 * domain only, whoever began it: everything before it in that domain has been fetched too.
 */
export function receivedFrom(source: Identity, { positions }: Received): Position | undefined {
  return positions
    .map((position) =>
      position instanceof GtidList ? ofDomains(position, source) : begunBy(source, position),
    )
    .reduce<Position | undefined>((all, position) => all?.union(position) ?? position, undefined);
}

function ofDomains(list: GtidList, { serverId }: Identity): GtidList {
  return GtidList.parse(list.toString().replace(/-\d+-/g, `-${serverId}-`));
}

async function ask(connection: Connection, statement: string, deadline: Deadline): Promise<readonly Row[]> {
  return rowsOf(await connection.run(ownCommand(statement), deadline));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
