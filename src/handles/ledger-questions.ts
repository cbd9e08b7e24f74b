import { applierProblem } from '../consistency/applier-mode.ts';
import { text } from '../consistency/ledger-statements.ts';
import { type LedgerTable, ledgerDdl, shapeProblem, type TableShape } from '../consistency/ledger-table.ts';
import {
  type Acknowledgers,
  readSemiSync,
  type SemiSync,
  type ServerValues,
} from '../consistency/semi-sync.ts';
import { ExactlyOnceError } from '../errors/errors.ts';
import { ownCommand, rowsOf } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Vendor } from '../resilience/failures.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Runs a question of vipsql's own. Rejects with {@link Failed}. */
export async function ask(
  connection: Connection,
  question: string,
  deadline: Deadline,
): Promise<readonly Row[]> {
  return rowsOf(await connection.run(ownCommand(question), deadline));
}

/** The same, or `undefined` where the server refuses to answer. */
export async function askIfAllowed(
  connection: Connection,
  question: string,
  deadline: Deadline,
): Promise<readonly Row[] | undefined> {
  try {
    return await ask(connection, question, deadline);
  } catch (error) {
    if (error instanceof Failed && error.failure.kind === 'sql' && connection.usable) return undefined;
    throw error;
  }
}

/** Variables of the server that may be there under one of several names. */
export async function askVariables(connection: Connection, deadline: Deadline): Promise<ServerValues> {
  return valuesOf(await ask(connection, variablesQuestion, deadline));
}

const variablesQuestion =
  "SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'rpl_semi_sync%' OR " +
  "Variable_name IN ('replica_exec_mode', 'slave_exec_mode', 'replica_skip_errors', 'slave_skip_errors')";

/** Makes sure that the ledger is there and as it has to be. Rejects with {@link ExactlyOnceError}. */
export async function requireTable(
  connection: Connection,
  table: LedgerTable,
  deadline: Deadline,
): Promise<void> {
  const name = `${table.schema}.${table.name}`;
  const remedy = `Call db.createLedger(), or run: ${ledgerDdl(table).replaceAll(/\s+/g, ' ')}`;
  const facts = { server: connection.endpointName, epoch: connection.epoch };
  const shape = await askShape(connection, table, deadline);
  if (shape.engine === undefined) {
    throw new ExactlyOnceError(
      `exactlyOnce needs the table ${name}, which does not exist or is hidden from this account. Nothing was executed. ${remedy}`,
      { ...facts, problem: 'no-table' },
    );
  }
  const problem = shapeProblem(shape);
  if (problem === undefined) return;
  throw new ExactlyOnceError(
    `exactlyOnce cannot use the table ${name}: ${problem}. Nothing was executed. Rename it and make a new one. ${remedy}`,
    { ...facts, problem: 'wrong-table' },
  );
}

/** Makes sure that the server stops at a commit that arrives late. Rejects with {@link ExactlyOnceError}. */
export function requireStrictApplier(connection: Connection, variables: ServerValues): void {
  const found = applierProblem(variables);
  if (found === undefined) return;
  const { problem, setting, remedy } = found;
  throw new ExactlyOnceError(
    `exactlyOnce is not safe while ${setting} on ${connection.endpointName}: a commit that arrives late by replication would ` +
      `be applied a second time. Nothing was executed. ${remedy}; do the same on the other master.`,
    { problem, server: connection.endpointName, epoch: connection.epoch },
  );
}

/** How commits on this primary wait for other servers. */
export async function askSemiSync(
  connection: Connection,
  variables: ServerValues,
  deadline: Deadline,
): Promise<SemiSync> {
  const status = valuesOf(await ask(connection, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%'", deadline));
  return readSemiSync(variables, status, await askAcknowledgers(connection, deadline));
}

const acknowledgersQuestion: Readonly<Record<Vendor, string>> = {
  // A server that receives says who it is, and whether it acknowledges, in user variables of its session.
  mysql:
    "SELECT MAX(CASE WHEN VARIABLE_NAME IN ('replica_uuid', 'slave_uuid') THEN CAST(VARIABLE_VALUE AS CHAR) END) AS id " +
    'FROM performance_schema.user_variables_by_thread JOIN performance_schema.threads USING (THREAD_ID) ' +
    "WHERE PROCESSLIST_COMMAND LIKE 'Binlog Dump%' GROUP BY THREAD_ID " +
    "HAVING SUM(VARIABLE_NAME IN ('rpl_semi_sync_replica', 'rpl_semi_sync_slave') AND CAST(VARIABLE_VALUE AS CHAR) = '1') > 0",
  mariadb: 'SHOW SLAVE HOSTS',
};

async function askAcknowledgers(
  connection: Connection,
  deadline: Deadline,
): Promise<Acknowledgers | undefined> {
  const { vendor } = connection.facts;
  const rows = await askIfAllowed(connection, acknowledgersQuestion[vendor], deadline);
  return rows && { ids: rows.map(({ id, Server_id }) => String(id ?? Server_id)), exact: vendor === 'mysql' };
}

async function askShape(connection: Connection, table: LedgerTable, deadline: Deadline): Promise<TableShape> {
  const where = `WHERE TABLE_SCHEMA = ${text(table.schema)} AND TABLE_NAME = ${text(table.name)}`;
  const [found] = await ask(
    connection,
    `SELECT ENGINE AS engine FROM information_schema.TABLES ${where}`,
    deadline,
  );
  const columns = await ask(
    connection,
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type FROM information_schema.COLUMNS ${where}`,
    deadline,
  );
  const indexColumns = await ask(
    connection,
    `SELECT INDEX_NAME AS name, COLUMN_NAME AS part FROM information_schema.STATISTICS ${where} ORDER BY SEQ_IN_INDEX`,
    deadline,
  );
  const indexes = new Map<string, string[]>();
  for (const { name, part } of indexColumns) {
    indexes.set(String(name), [...(indexes.get(String(name)) ?? []), String(part)]);
  }
  return {
    engine: found && String(found.engine),
    columns: new Map(columns.map(({ name, type }) => [String(name), String(type)])),
    indexes,
  };
}

function valuesOf(rows: readonly Row[]): ServerValues {
  return new Map(
    rows.map(({ Variable_name, Value }) => [String(Variable_name).toLowerCase(), String(Value)]),
  );
}

/** A row of the ledger. */
export interface LedgerRow {
  /** `false`: a fence. */
  readonly committed: boolean;
  readonly owner: Buffer;
  readonly result: string | null;
}

export async function readRow(
  connection: Connection,
  question: string,
  deadline: Deadline,
): Promise<LedgerRow | undefined> {
  const [row] = await ask(connection, question, deadline);
  if (row === undefined) return undefined;
  return {
    committed: Number(row.committed) === 1,
    owner: row.owner as Buffer,
    result: row.result as string | null,
  };
}
