/** Variables or status counters by their names in lower case. */
export type ServerValues = ReadonlyMap<string, string>;

/** Which other servers could acknowledge a commit. */
export interface Acknowledgers {
  /** `@@server_uuid` on MySQL, `@@server_id` on MariaDB. */
  readonly ids: readonly string[];
  /** Whether each of `ids` acknowledges; otherwise they are the connected ones, of which some do. */
  readonly exact: boolean;
}

/** What a primary said of its semi-synchronous replication. */
export interface SemiSync {
  /** Why a commit there need not have waited for another server; `undefined` when each one has to. */
  readonly weakness: string | undefined;
  /** How many connected servers acknowledge. */
  readonly clients: number;
  /** `undefined`: the account may not see them. */
  readonly acknowledgers: Acknowledgers | undefined;
}

/** With less, commits go on without an acknowledgement before anybody has looked. */
const shortestTimeoutMs = 3_600_000;

/** Reads what a server says of its part as a primary. The names are those of MySQL 8.0.26, then the older ones of both. */
export function readSemiSync(
  variables: ServerValues,
  status: ServerValues,
  acknowledgers: Acknowledgers | undefined,
): SemiSync {
  const clients = Number(either(status, 'rpl_semi_sync_source_clients', 'rpl_semi_sync_master_clients') ?? 0);
  return { weakness: weaknessOf(variables, status), clients, acknowledgers };
}

/** Whether a server acknowledges what it receives. */
export function acknowledges(variables: ServerValues): boolean {
  return either(variables, 'rpl_semi_sync_replica_enabled', 'rpl_semi_sync_slave_enabled') === 'ON';
}

function weaknessOf(variables: ServerValues, status: ServerValues): string | undefined {
  const variable = (name: string): string | undefined =>
    either(variables, `rpl_semi_sync_source_${name}`, `rpl_semi_sync_master_${name}`);
  if (variable('enabled') !== 'ON') return 'its replication was asynchronous';
  if (either(status, 'rpl_semi_sync_source_status', 'rpl_semi_sync_master_status') !== 'ON') {
    return 'its semi-synchronous replication had fallen back to asynchronous';
  }
  if (variable('wait_point') !== 'AFTER_SYNC')
    return 'its commits were visible before they were acknowledged (AFTER_COMMIT)';
  const timeoutMs = Number(variable('timeout'));
  if (!(timeoutMs >= shortestTimeoutMs))
    return `its commits waited ${timeoutMs} ms at most for an acknowledgement, not an hour`;
  const waitsForNobody = either(
    variables,
    'rpl_semi_sync_source_wait_no_replica',
    'rpl_semi_sync_master_wait_no_slave',
  );
  return waitsForNobody === 'OFF'
    ? 'its commits did not wait while no server was there to acknowledge them'
    : undefined;
}

function either(values: ServerValues, name: string, older: string): string | undefined {
  return values.get(name) ?? values.get(older);
}
