import type { SessionVariableValue } from './types.ts';

const unsafeModes: ReadonlyMap<string, string> = new Map([
  ['NO_BACKSLASH_ESCAPES', 'escaped text values could be broken out of: an SQL injection'],
  ...['ANSI', 'ANSI_QUOTES', 'DB2', 'MAXDB', 'MSSQL', 'ORACLE', 'POSTGRESQL'].map(
    (mode) => [mode, 'with ANSI_QUOTES "…" is a name for the server and a text for vipsql'] as const,
  ),
]);

/** Variables that vipsql's promises rest on, and why they are not for the taking. */
const reserved: ReadonlyMap<string, string> = new Map(
  Object.entries({
    autocommit: 'vipsql opens and ends transactions itself',
    character_set_client: 'use the option `charset`',
    character_set_connection: 'use the option `charset`',
    character_set_results: 'use the option `charset`',
    collation_connection: 'use the option `charset`',
    completion_type: 'it would change what COMMIT does',
    names: 'use the option `charset`',
    session_track_gtids: 'vipsql tracks the positions of writes itself',
    sql_log_bin: 'writes would not reach the other master and the replicas',
    time_zone: 'use the option `timezone`',
    transaction_read_only: 'vipsql sets it on the connections of replicas',
    tx_read_only: 'vipsql sets it on the connections of replicas',
  }),
);

/** The bare name of a session variable: `@@session.sql_mode`, `SESSION.sql_mode` and `sql_mode` are one. */
export function variableName(key: string): string {
  return key
    .toLowerCase()
    .replace(/^@@/, '')
    .replace(/^(?:session|local)\./, '');
}

/** The rule that a session variable breaks, if any. */
export function variableProblem(key: string, value: unknown): string | undefined {
  if (!/^[A-Za-z0-9_.@]+$/.test(key)) return 'must be named with letters, digits, `_`, `.` and `@` only';
  const name = variableName(key);
  if (/^(?:global|persist|persist_only)\./.test(name))
    return 'must be a session variable; global ones are set on the server';
  if (!/^[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)?$/.test(name))
    return 'must be a system variable; set others in `onConnect`';
  const reason = reserved.get(name);
  if (reason !== undefined) return `must not be set here: ${reason}`;
  if (!isValue(value)) return 'must be a text, a finite number, a boolean or null';
  return name === 'sql_mode' ? sqlModeProblem(value) : undefined;
}

function isValue(value: unknown): value is SessionVariableValue {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function sqlModeProblem(value: SessionVariableValue): string | undefined {
  if (typeof value !== 'string') return 'must be the names of modes, so that vipsql can check them';
  const modes = value.split(',').map((mode) => mode.trim().toUpperCase());
  const unsafe = modes.find((mode) => unsafeModes.has(mode));
  if (unsafe !== undefined) return `must not contain ${unsafe}: ${unsafeModes.get(unsafe)}`;
  return modes.some((mode) => /^\d+$/.test(mode))
    ? 'must be the names of modes, so that vipsql can check them'
    : undefined;
}
