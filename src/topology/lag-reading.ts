import type { Vendor } from '../resilience/failures.ts';

/** What the replication status says of a replica's lag. */
export type LagReading =
  | { readonly kind: 'known'; readonly lagMs: number }
  /** It does not apply what its source does: nobody can tell how old it is. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** It follows nobody. */
  | { readonly kind: 'no-replica' };

type Row = Readonly<Record<string, unknown>>;

interface Version {
  readonly vendor: Vendor;
  /** `@@version`. */
  readonly version: string;
}

/** Asks for the replication status, one row per source, in the words that this version knows. */
export function statusStatement({ vendor, version }: Version): string {
  if (vendor === 'mariadb') return 'SHOW ALL SLAVES STATUS';
  return isBelow(version, [8, 0, 22]) ? 'SHOW SLAVE STATUS' : 'SHOW REPLICA STATUS';
}

/** The privilege that {@link statusStatement} needs. */
export function statusPrivilege({ vendor, version }: Version): string {
  return vendor === 'mariadb' && !isBelow(version, [10, 5, 2]) ? 'SLAVE MONITOR' : 'REPLICATION CLIENT';
}

/** Understands the answer to {@link statusStatement}: of several sources the worst counts. Pure. */
export function readLag(rows: readonly Row[]): LagReading {
  if (rows.length === 0) return { kind: 'no-replica' };
  let lagMs = 0;
  for (const row of rows) {
    const reason = whyUnknown(row);
    if (reason !== undefined) return { kind: 'unknown', reason };
    lagMs = Math.max(lagMs, Number(value(row, 'Seconds_Behind_Source', 'Seconds_Behind_Master')) * 1_000);
  }
  return { kind: 'known', lagMs };
}

function whyUnknown(row: Row): string | undefined {
  const [receiver, applier] = [
    value(row, 'Replica_IO_Running', 'Slave_IO_Running'),
    value(row, 'Replica_SQL_Running', 'Slave_SQL_Running'),
  ];
  if (applier !== 'Yes') return because('its applier has stopped', row.Last_SQL_Error);
  if (receiver !== 'Yes') return because('it is not connected to its source', row.Last_IO_Error);
  const behind = value(row, 'Seconds_Behind_Source', 'Seconds_Behind_Master');
  return behind === null || behind === undefined || !Number.isFinite(Number(behind))
    ? 'it does not know how far it is behind'
    : undefined;
}

function because(what: string, error: unknown): string {
  return typeof error === 'string' && error !== '' ? `${what}: ${error}` : what;
}

function value(row: Row, ...names: readonly string[]): unknown {
  return names.map((name) => row[name]).find((found) => found !== undefined);
}

function isBelow(version: string, limit: readonly number[]): boolean {
  const [numbers = ''] = /\d+(?:\.\d+)*/.exec(version) ?? [];
  const parts = numbers.split('.').map(Number);
  const first = limit.findIndex((part, index) => (parts[index] ?? 0) !== part);
  return first !== -1 && (parts[first] ?? 0) < (limit[first] ?? 0);
}
