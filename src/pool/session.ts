import type { Connection as RawConnection } from 'mysql2';
import type { SessionConfig, SessionVariableValue } from '../config/types.ts';
import type { Vendor } from '../resilience/failures.ts';
import type { ServerFacts } from './identity.ts';
import { SetUpFailed } from './set-up-failed.ts';

/** MySQL's own default since 5.7, set on both vendors so that one program meets one behaviour. */
const sqlMode =
  'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

type Row = Record<string, unknown>;

export function query(raw: RawConnection, sql: string): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    raw.query(sql, (error, rows) => (error === null ? resolve(rows as Row[]) : reject(error)));
  });
}

/** What a session is prepared for. */
export interface SessionPurpose {
  readonly vendor: Vendor;
  readonly readOnly: boolean;
}

/**
 * Makes a session ours: the one place that sets session state, at login and again after every reset.
 * A read-only session refuses writes by itself (error 1792), whatever the server allows the account. Any other tells
 * the position of its commits, on servers that can.
 */
export async function prepareSession(
  raw: RawConnection,
  config: SessionConfig,
  { vendor, readOnly }: SessionPurpose,
): Promise<void> {
  const variables = variablesOf(config);
  try {
    if (readOnly) {
      await query(raw, setStatement(variables));
      await query(raw, 'SET SESSION TRANSACTION READ ONLY');
    } else {
      await setWithTracking(raw, vendor, variables);
    }
  } catch (error) {
    throw new SetUpFailed('setting the variables of a session (timezone, sessionVariables)', error);
  }
}

/** A server or proxy that does not know the variables of tracking is no reason to do without it. */
async function setWithTracking(raw: RawConnection, vendor: Vendor, variables: Variables): Promise<void> {
  try {
    await query(raw, trackingStatements[vendor](variables));
  } catch (error) {
    if (!(error instanceof Error) || !('sqlState' in error)) throw error;
    await query(raw, setStatement(variables));
  }
}

/** Per session, never globally: on MySQL the global variable makes multi-threaded replicas lag. */
const trackingStatements: Record<Vendor, (variables: Variables) => string> = {
  mysql: (variables) => `${setStatement(variables)}, @@SESSION.session_track_gtids = 'OWN_GTID'`,
  // What is tracked already is kept; a star stands for everything.
  mariadb: ({ session_track_system_variables: given, ...others }) => {
    const kept = given === undefined ? '@@SESSION.session_track_system_variables' : literal(given);
    const tracked = `IF(${kept} = '*', '*', CONCAT_WS(',', NULLIF(${kept}, ''), 'last_gtid'))`;
    return `${setStatement(others)}, @@SESSION.session_track_system_variables = ${tracked}`;
  },
};

type Variables = Readonly<Record<string, SessionVariableValue>>;

function variablesOf(config: SessionConfig): Variables {
  const { time_zone = config.timezone, sql_mode = sqlMode, ...others } = config.sessionVariables;
  return { autocommit: true, time_zone, sql_mode, ...others };
}

function setStatement(variables: Variables): string {
  return `SET ${Object.entries(variables)
    .map(([name, value]) => `@@SESSION.${name} = ${literal(value)}`)
    .join(', ')}`;
}

function literal(value: SessionVariableValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  // The session may still have NO_BACKSLASH_ESCAPES at this point: hexadecimal means the same with and without it.
  return value === '' ? "''" : `_utf8mb4 0x${Buffer.from(value, 'utf8').toString('hex')}`;
}

const common =
  '@@server_id AS serverId, @@hostname AS hostname, @@port AS port, @@version AS version, CONNECTION_ID() AS id, ' +
  '@@global.max_connections AS maxConnections, @@global.read_only AS readOnly, @@global.log_bin AS binlog';

/**
 * When the server began its life. Within one statement both read the same clock at the same moment, the statement's start,
 * so that the difference is the same whole second however often it is asked, and when the clock is set.
 */
function startedAt(table: string): string {
  return `(SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE FROM ${table} WHERE VARIABLE_NAME = 'Uptime') AS startedAt`;
}

const factStatements: Record<Vendor, string> = {
  mysql: `SELECT ${common}, @@server_uuid AS uuid, @@global.super_read_only AS superReadOnly, @@global.offline_mode AS offline, @@global.gtid_mode AS gtidMode, ${startedAt('performance_schema.global_status')}`,
  mariadb: `SELECT ${common}, ${startedAt('information_schema.GLOBAL_STATUS')}`,
};

/** Asks a new session who its server is, since when it lives, and whether it accepts writes. */
export async function readServerFacts(
  raw: RawConnection,
  vendor: Vendor,
): Promise<{ readonly facts: ServerFacts; readonly connectionId: number }> {
  const [row = {}] = await query(raw, factStatements[vendor]);
  const facts: ServerFacts = {
    identity: {
      uuid: typeof row.uuid === 'string' ? row.uuid : '',
      serverId: Number(row.serverId),
      hostname: String(row.hostname),
      port: Number(row.port),
    },
    vendor,
    version: String(row.version),
    startedAtMs: Math.round(Number(row.startedAt ?? 0)) * 1000,
    writable: isWritable(row),
    maxConnections: Number(row.maxConnections),
    withoutPositions: whyWithoutPositions(row),
  };
  return { facts, connectionId: Number(row.id) };
}

/** MariaDB has GTIDs wherever it has a binary log; MySQL gives them to new transactions in two of four modes. */
function whyWithoutPositions({ binlog, gtidMode }: Row): string | undefined {
  if (Number(binlog) === 0) return 'its binary log is off (log_bin)';
  return typeof gtidMode === 'string' && gtidMode.startsWith('OFF')
    ? `its gtid_mode is ${gtidMode}`
    : undefined;
}

const writabilityStatements: Record<Vendor, string> = {
  mysql:
    'SELECT @@global.read_only AS readOnly, @@global.super_read_only AS superReadOnly, @@global.offline_mode AS offline',
  mariadb: 'SELECT @@global.read_only AS readOnly',
};

/** The question of every heartbeat. */
export function writabilityStatement(vendor: Vendor): string {
  return writabilityStatements[vendor];
}

/** MySQL answers 0 and 1, in the type that `bigint` asks for; newer MariaDB names kinds of read-only instead. */
export function isWritable(row: Row): boolean {
  return ['readOnly', 'superReadOnly', 'offline'].every((name) => {
    const value = row[name];
    return value === undefined || value === 'OFF' || String(value) === '0';
  });
}
