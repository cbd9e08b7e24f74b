import { quoted } from '../consistency/ledger-table.ts';
import { deniedErrnos, missingTableErrnos } from '../resilience/failure-codes.ts';

/** Where the heartbeats are. */
export interface HeartbeatTable {
  readonly schema: string;
  readonly name: string;
}

/** Asks for the heartbeat of one writer, the server with that id. */
export function heartbeatQuery(table: HeartbeatTable, serverId: number): string {
  return `SELECT CAST(ts AS CHAR) AS ts FROM ${quoted(table)} WHERE server_id = ${serverId}`;
}

/** Time as pt-heartbeat --utc writes it. The id stands in the text, since each replica has another one. */
const now = "DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f')";

/** Writes the heartbeat of one server; whoever writes at the same time does the same. */
export function heartbeatWrite(table: HeartbeatTable, serverId: number): string {
  return `INSERT INTO ${quoted(table)} (ts, server_id) VALUES (${now}, ${serverId}) ON DUPLICATE KEY UPDATE ts = ${now}`;
}

/** The statement that creates the table, with the columns of pt-heartbeat --create-table. */
export function heartbeatDdl(table: HeartbeatTable): string {
  return (
    `CREATE TABLE IF NOT EXISTS ${quoted(table)} (ts VARCHAR(26) NOT NULL, server_id INT UNSIGNED NOT NULL PRIMARY KEY, ` +
    'file VARCHAR(255) NULL, position BIGINT UNSIGNED NULL, relay_master_log_file VARCHAR(255) NULL, exec_master_log_pos BIGINT UNSIGNED NULL)'
  );
}

/** What to do about an error number on this table; `undefined` for one that has nothing to do with it. */
export function heartbeatRemedy(
  table: HeartbeatTable,
  errno: number | undefined,
  isWritten: boolean,
): string | undefined {
  if (errno === undefined) return undefined;
  if (missingTableErrnos.has(errno)) return `On the primary, run ${heartbeatDdl(table)}`;
  if (deniedErrnos.has(errno)) {
    return `Run GRANT SELECT${isWritten ? ', INSERT, UPDATE' : ''} ON ${quoted(table)} for this account.`;
  }
  return undefined;
}
