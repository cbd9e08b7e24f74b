/** Who made the server. Error numbers from 1900 on mean different things on the two. */
export type Vendor = 'mysql' | 'mariadb';

/** What an error number of a server says, whatever it interrupted. */
export type Meaning =
  | 'access'
  | 'overloaded'
  | 'host-blocked'
  | 'offline'
  | 'connection-lost'
  | 'read-only'
  | 'read-only-transaction'
  | 'rolled-back'
  | 'lock-timeout'
  | 'transient'
  | 'killed'
  | 'time-limit'
  | 'duplicate-key'
  | 'commit-failed'
  | 'too-large'
  | 'signal'
  | 'unparsed';

type Code = readonly [errno: number, reason: string, vendor?: Vendor];

/**
 * The failure table: every error number that vipsql treats as more than "the statement failed". A row without a
 * vendor is the same on both. Sources: the error references of MySQL 8.4 and MariaDB 11, `perror`, and runs on
 * MariaDB 10.11 and MySQL 9.7.
 */
const table: Readonly<Record<Meaning, readonly Code[]>> = {
  /** The login was refused for a reason that trying again does not change. */
  access: [
    [1044, 'ER_DBACCESS_DENIED_ERROR'],
    [1045, 'ER_ACCESS_DENIED_ERROR'],
    [1049, 'ER_BAD_DB_ERROR'],
    [1130, 'ER_HOST_NOT_PRIVILEGED'],
    [1251, 'ER_NOT_SUPPORTED_AUTH_MODE'],
    [1524, 'ER_PLUGIN_IS_NOT_LOADED'],
    [1698, 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR'],
    [1820, 'ER_MUST_CHANGE_PASSWORD'],
    [1862, 'ER_MUST_CHANGE_PASSWORD_LOGIN'],
    [3118, 'ER_ACCOUNT_HAS_BEEN_LOCKED', 'mysql'],
    [3159, 'ER_SECURE_TRANSPORT_REQUIRED', 'mysql'],
    [3955, 'ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK', 'mysql'],
    [4151, 'ER_ACCOUNT_HAS_BEEN_LOCKED', 'mariadb'],
  ],
  /** The server has as many connections or users as it may have; asking at once again makes it worse. */
  overloaded: [
    [1040, 'ER_CON_COUNT_ERROR'],
    [1041, 'ER_OUT_OF_RESOURCES'],
    [1135, 'ER_CANT_CREATE_THREAD'],
    [1203, 'ER_TOO_MANY_USER_CONNECTIONS'],
    [1226, 'ER_USER_LIMIT_REACHED'],
  ],
  'host-blocked': [[1129, 'ER_HOST_IS_BLOCKED']],
  /** Up, but closed to applications. */
  offline: [[3032, 'ER_SERVER_OFFLINE_MODE']],
  /** The server ends the session, now or because it shuts down: what became of the statement is not said. */
  'connection-lost': [
    [1042, 'ER_BAD_HOST_ERROR'],
    [1043, 'ER_HANDSHAKE_ERROR'],
    [1053, 'ER_SERVER_SHUTDOWN'],
    [1077, 'ER_NORMAL_SHUTDOWN'],
    [1078, 'ER_GOT_SIGNAL'],
    [1079, 'ER_SHUTDOWN_COMPLETE'],
    [1080, 'ER_FORCING_CLOSE'],
    [1152, 'ER_ABORTING_CONNECTION'],
    [1156, 'ER_NET_PACKETS_OUT_OF_ORDER'],
    [1157, 'ER_NET_UNCOMPRESS_ERROR'],
    [1158, 'ER_NET_READ_ERROR'],
    [1159, 'ER_NET_READ_INTERRUPTED'],
    [1160, 'ER_NET_ERROR_ON_WRITE'],
    [1161, 'ER_NET_WRITE_INTERRUPTED'],
    [1184, 'ER_NEW_ABORTING_CONNECTION'],
    [1835, 'ER_MALFORMED_PACKET'],
    [1927, 'ER_CONNECTION_KILLED', 'mariadb'],
    [3168, 'ER_SERVER_ISNT_AVAILABLE', 'mysql'],
    [3169, 'ER_SESSION_WAS_KILLED', 'mysql'],
    [4031, 'ER_CLIENT_INTERACTION_TIMEOUT', 'mysql'],
  ],
  /** Writes are refused because the server is no primary. 1290 has other meanings too: see {@link isReadOnlyText}. */
  'read-only': [
    [1290, 'ER_OPTION_PREVENTS_STATEMENT'],
    [1836, 'ER_READ_ONLY_MODE'],
    [1874, 'ER_INNODB_READ_ONLY'],
  ],
  'read-only-transaction': [[1792, 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION']],
  /**
   * The whole transaction is gone; SQLSTATE 40… says the same of numbers that are not listed.
   * 1020 is what MariaDB says with innodb_snapshot_isolation, the default from 11.6 on.
   */
  'rolled-back': [
    [1020, 'ER_CHECKREAD', 'mariadb'],
    [1206, 'ER_LOCK_TABLE_FULL'],
    [1213, 'ER_LOCK_DEADLOCK'],
    [1402, 'ER_XA_RBROLLBACK'],
    [1613, 'ER_XA_RBTIMEOUT'],
    [1614, 'ER_XA_RBDEADLOCK'],
    [3101, 'ER_TRANSACTION_ROLLBACK_DURING_COMMIT', 'mysql'],
  ],
  /** A lock was not to be had; only the statement was undone. */
  'lock-timeout': [
    [1205, 'ER_LOCK_WAIT_TIMEOUT'],
    [3058, 'ER_USER_LOCK_DEADLOCK'],
    [3572, 'ER_LOCK_NOWAIT', 'mysql'],
  ],
  /** The server could not do it now and says that it may later. */
  transient: [
    [1297, 'ER_GET_TEMPORARY_ERRMSG'],
    [1637, 'ER_TOO_MANY_CONCURRENT_TRXS'],
  ],
  killed: [[1317, 'ER_QUERY_INTERRUPTED']],
  /** The server's own limit on a statement: max_execution_time on MySQL, max_statement_time on MariaDB. */
  'time-limit': [
    [1969, 'ER_STATEMENT_TIMEOUT', 'mariadb'],
    [3024, 'ER_QUERY_TIMEOUT', 'mysql'],
  ],
  'duplicate-key': [
    [1062, 'ER_DUP_ENTRY'],
    [1586, 'ER_DUP_ENTRY_WITH_KEY_NAME'],
  ],
  /** The commit went wrong half-way: the rows may be there or not. */
  'commit-failed': [
    [1180, 'ER_ERROR_DURING_COMMIT'],
    [1598, 'ER_BINLOG_LOGGING_IMPOSSIBLE'],
    [3100, 'ER_RUN_HOOK_ERROR', 'mysql'],
  ],
  /** Longer than max_allowed_packet; the server ends the session after saying so. */
  'too-large': [[1153, 'ER_NET_PACKET_TOO_LARGE']],
  /** Raised by SIGNAL in a routine or trigger, whose author chose the SQLSTATE: it says nothing of the transaction. */
  signal: [
    [1643, 'ER_SIGNAL_NOT_FOUND'],
    [1644, 'ER_SIGNAL_EXCEPTION'],
    [1645, 'ER_RESIGNAL_WITHOUT_ACTIVE_HANDLER'],
  ],
  /** Turned down before anything ran. */
  unparsed: [
    [1064, 'ER_PARSE_ERROR'],
    [1065, 'ER_EMPTY_QUERY'],
    [1149, 'ER_SYNTAX_ERROR'],
    [1243, 'ER_UNKNOWN_STMT_HANDLER'],
    [1295, 'ER_UNSUPPORTED_PS'],
    [1390, 'ER_PS_MANY_PARAM'],
    [1461, 'ER_MAX_PREPARED_STMT_COUNT_REACHED'],
  ],
};

/** From here on one number means different things on MySQL and MariaDB. */
const firstVendorErrno = 1900;

function indexCodes(vendor: Vendor | undefined): ReadonlyMap<number, { meaning: Meaning; reason: string }> {
  const rows = Object.entries(table) as [Meaning, readonly Code[]][];
  return new Map(
    rows.flatMap(([meaning, codes]) =>
      codes
        .filter(([, , only]) => only === undefined || vendor === undefined || only === vendor)
        .map(([errno, reason]) => [errno, { meaning, reason }] as const),
    ),
  );
}

const codesOf = {
  mysql: indexCodes('mysql'),
  mariadb: indexCodes('mariadb'),
  unknown: indexCodes(undefined),
} as const;

/** One error packet of a server. */
export interface ServerReport {
  readonly vendor: Vendor | undefined;
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
}

/** What the server's error means; `undefined` for a plain failure of the statement. */
export function meaningOf({ vendor, errno, sqlState, message }: ServerReport): Meaning | undefined {
  const known = codesOf[vendor ?? 'unknown'].get(errno)?.meaning;
  if (errno === 1290 && !isReadOnlyText(message)) return undefined;
  if (errno === 1047) return /wsrep/i.test(message) ? 'offline' : 'unparsed';
  if (known !== undefined) return known;
  if (sqlState.startsWith('40')) return 'rolled-back';
  if (sqlState.startsWith('08') && sqlState !== '08004') return 'connection-lost';
  return undefined;
}

/** 1290 names any option that forbids a statement; only these say that the server takes no writes. */
function isReadOnlyText(message: string): boolean {
  return /--(?:super[-_])?read[-_]only\b/i.test(message);
}

/**
 * The symbol of an error number, as `ER_NO_SUCH_TABLE`. mysql2 names all numbers as MySQL does (`driverName`), which is
 * wrong for MariaDB's own ones.
 */
export function reasonOf(
  vendor: Vendor | undefined,
  errno: number,
  driverName: string | undefined,
): string | undefined {
  const known = codesOf[vendor ?? 'unknown'].get(errno)?.reason;
  if (known !== undefined) return known;
  return vendor === 'mariadb' && errno >= firstVendorErrno ? undefined : driverName;
}

/** A statement met a table or a schema that does not exist. */
export const missingTableErrnos: ReadonlySet<number> = new Set([1049, 1146]);

/** The account may not do that: to a schema, to a table, to a column, at all. */
export const deniedErrnos: ReadonlySet<number> = new Set([1044, 1142, 1143, 1227]);
