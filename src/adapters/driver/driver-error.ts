import { SqlError, VipsqlError } from '../../errors/errors.ts';

/** What mysql2 puts on its errors, and its users look at. */
const driverFields = ['code', 'errno', 'sqlState', 'sqlMessage', 'fatal'] as const;

/** What users of mysql2 get of anything that was thrown: errors that are not vipsql's stay as they are. */
export function toDriverError(error: unknown, sql: string | undefined): unknown {
  return error instanceof VipsqlError ? driverError(error, sql) : error;
}

/**
 * The error as mysql2 would have thrown it, with what vipsql knows of it as its cause. A new one each time, since Knex
 * writes the statement into its message.
 */
function driverError(error: VipsqlError, sql: string | undefined): Error {
  const driver = driverErrorOf(error);
  // Of what a server says, its own words; of everything else, what vipsql did and what to do next.
  const message = error instanceof SqlError && driver !== undefined ? driver.message : error.message;
  const shaped = new Error(message, { cause: error });
  const fields: Record<string, unknown> = { code: error.code, outcome: error.outcome };
  for (const name of driverFields) {
    const value = (driver as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (value !== undefined) fields[name] = value;
  }
  // mysql2 says so of a connection that has ended, but not in every way that it can.
  if (driver !== undefined && driver.sqlState === undefined) fields.fatal = true;
  if (sql !== undefined) fields.sql = sql;
  return Object.assign(shaped, fields);
}

/** The first error in the chain of causes that is the driver's or the system's. */
function driverErrorOf({ cause }: Error): (Error & Record<string, unknown>) | undefined {
  let found: unknown = cause;
  while (found instanceof Error && isOurs(found)) found = found.cause;
  return found instanceof Error && 'code' in found ? (found as Error & Record<string, unknown>) : undefined;
}

function isOurs(error: Error): boolean {
  return 'outcome' in error;
}
