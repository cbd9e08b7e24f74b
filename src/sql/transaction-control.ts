/** A statement that begins, ends, divides or sets up a transaction. */
export type TransactionControl =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'rollback-to-savepoint'
  | 'release-savepoint'
  | 'set-autocommit'
  | 'set-transaction'
  | 'lock-tables'
  | 'unlock-tables'
  | 'xa';

/** Verbs that always commit first (MySQL manual, 15.3.3; MariaDB, "SQL statements that cause an implicit commit"). */
const commits = new Set(
  'ALTER RENAME TRUNCATE GRANT REVOKE FLUSH INSTALL UNINSTALL OPTIMIZE REPAIR CHANGE STOP IMPORT CACHE BACKUP CLONE SHUTDOWN RESTART'.split(
    ' ',
  ),
);
/** Session variables that steer transactions from behind. */
const steering = new Set([
  'TRANSACTION_ISOLATION',
  'TX_ISOLATION',
  'TRANSACTION_READ_ONLY',
  'TX_READ_ONLY',
  'COMPLETION_TYPE',
]);

/** Which transaction control one statement is, given its keys, or undefined. */
export function transactionControlOf(keys: readonly string[]): TransactionControl | undefined {
  const second = keys[1];
  switch (keys[0]) {
    case 'BEGIN':
      return 'begin';
    case 'START':
      return second === 'TRANSACTION' ? 'begin' : undefined;
    case 'COMMIT':
      return 'commit';
    case 'ROLLBACK':
      return keys.includes('TO') ? 'rollback-to-savepoint' : 'rollback';
    case 'SAVEPOINT':
      return 'savepoint';
    case 'RELEASE':
      return 'release-savepoint';
    case 'LOCK':
      return isTables(second) ? 'lock-tables' : undefined;
    case 'UNLOCK':
      return isTables(second) ? 'unlock-tables' : undefined;
    case 'XA':
      return 'xa';
    case 'SET':
      return settingOf(keys);
    default:
      return undefined;
  }
}

/**
 * True for a statement that commits the running transaction by itself, on MySQL or MariaDB, whatever the state it finds
 * (`SET autocommit` and `UNLOCK TABLES` commit only in some). Temporary tables may be created and dropped.
 */
export function commitsImplicitly(keys: readonly string[]): boolean {
  const [verb = '', second = '', third = ''] = keys;
  switch (verb) {
    case 'CREATE':
    case 'DROP': {
      if (verb === 'DROP' && second === 'PREPARE') return false;
      const at = second === 'OR' ? 3 : 1; // CREATE OR REPLACE TEMPORARY TABLE
      return keys[at] !== 'TEMPORARY' || !isTables(keys[at + 1]);
    }
    case 'BEGIN':
    case 'START':
      return true;
    case 'LOCK':
    case 'UNLOCK':
      return isTables(second);
    case 'ANALYZE': // ANALYZE SELECT … (MariaDB) only runs and explains
      return isTables(second) || second === 'LOCAL' || second === 'NO_WRITE_TO_BINLOG';
    case 'CHECK':
      return isTables(second) || second === 'VIEW';
    case 'LOAD':
      return second === 'INDEX';
    case 'RESET':
      return second !== 'PERSIST';
    case 'SET':
      return (
        second === 'PASSWORD' ||
        (second === 'DEFAULT' && third === 'ROLE') ||
        settingOf(keys) === 'set-autocommit'
      );
    default:
      return commits.has(verb);
  }
}

/** The statement that MariaDB's `SET STATEMENT a = 1 FOR …` runs, or the statement itself. */
export function withoutSetStatement(keys: readonly string[]): readonly string[] {
  if (keys[0] !== 'SET' || keys[1] !== 'STATEMENT') return keys;
  const at = keys.indexOf('FOR');
  return at === -1 ? keys : keys.slice(at + 1);
}

function isTables(key: string | undefined): boolean {
  return key === 'TABLE' || key === 'TABLES';
}

/** What a SET assigns, of the things that matter to a transaction. */
function settingOf(keys: readonly string[]): TransactionControl | undefined {
  if (keys[1] === 'TRANSACTION' || keys[2] === 'TRANSACTION') return 'set-transaction';
  let found: TransactionControl | undefined;
  for (let i = 1; i < keys.length; i++) {
    if (keys[i + 1] !== '=' && keys[i + 1] !== ':=') continue;
    const name = (keys[i] ?? '').replace(/^@@(?:SESSION\.|LOCAL\.|GLOBAL\.)?/, '');
    if (name === 'AUTOCOMMIT') return 'set-autocommit';
    if (steering.has(name)) found = 'set-transaction';
  }
  return found;
}
