/** One row of SHOW REPLICA STATUS, or of MariaDB's SHOW ALL SLAVES STATUS. */
type StatusRow = Readonly<Record<string, unknown>>;

/** A server that another one follows. */
export interface ReplicationSource {
  /** `@@server_uuid`; empty on MariaDB. */
  readonly uuid: string;
  readonly serverId: number;
  /** The receiver is connected to it. */
  readonly receiving: boolean;
  /** Whether all that was received is applied. */
  readonly applied: boolean;
  /** Something is left out by a rule. */
  readonly filtered: boolean;
}

/** Says whether every transaction of `received` is in `executed`; both in the notation of the server. */
export type ContainsPosition = (executed: string, received: string) => boolean;

const filters = [
  'Replicate_Do_DB',
  'Replicate_Ignore_DB',
  'Replicate_Do_Table',
  'Replicate_Ignore_Table',
  'Replicate_Wild_Do_Table',
  'Replicate_Wild_Ignore_Table',
  'Replicate_Rewrite_DB',
  'Replicate_Ignore_Server_Ids',
  'Replicate_Do_Domain_Ids',
  'Replicate_Ignore_Domain_Ids',
];

/** Understands a row, in the words of any version of both vendors. */
export function readSource(row: StatusRow, contains: ContainsPosition): ReplicationSource {
  const text = (...names: readonly string[]): string =>
    String(names.map((name) => row[name]).find(isGiven) ?? '');
  return {
    uuid: text('Source_UUID', 'Master_UUID'),
    serverId: Number(text('Source_Server_Id', 'Master_Server_Id')),
    receiving: text('Replica_IO_Running', 'Slave_IO_Running') === 'Yes',
    applied: hasApplied(text, contains),
    filtered: filters.some((name) => text(name) !== ''),
  };
}

function hasApplied(text: (...names: readonly string[]) => string, contains: ContainsPosition): boolean {
  if (text('Auto_Position') === '1') return contains(text('Executed_Gtid_Set'), text('Retrieved_Gtid_Set'));
  const usingGtid = text('Using_Gtid');
  if (usingGtid !== '' && usingGtid !== 'No') return contains(text('Gtid_Slave_Pos'), text('Gtid_IO_Pos'));
  return (
    text('Source_Log_File', 'Master_Log_File') === text('Relay_Source_Log_File', 'Relay_Master_Log_File') &&
    text('Read_Source_Log_Pos', 'Read_Master_Log_Pos') === text('Exec_Source_Log_Pos', 'Exec_Master_Log_Pos')
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
