import { format, type SqlValue } from 'mysql2';
import { type Call, writtenCall } from '../../handles/call.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { analyze } from '../../sql/statement.ts';

/** A query as mysql2's methods take it. */
export interface DriverQuery {
  readonly sql: string;
  readonly values: readonly unknown[] | undefined;
  /** mysql2's options of one query: `nestTables`, `rowsAsArray`, `typeCast` … */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  /** The server binds the values. */
  readonly prepare: boolean;
}

export type DriverQueryInput = string | (Readonly<Record<string, unknown>> & { readonly sql: string });

/** Puts together what a method of mysql2's was called with. */
export function driverQuery(input: DriverQueryInput, values: unknown, prepare: boolean): DriverQuery {
  if (typeof input === 'string') return { sql: input, values: listOf(values), options: undefined, prepare };
  const { sql, values: inner, ...options } = input;
  const isPlain = Object.keys(options).length === 0;
  return { sql, values: listOf(values ?? inner), options: isPlain ? undefined : options, prepare };
}

/** Analyses a query, and writes its values into it as mysql2 does. */
export function callOf(query: DriverQuery, driver: DriverOptions): Call {
  const { sql, values = [], options, prepare } = query;
  const reading = { options: driver, query: options };
  if (prepare) {
    return writtenCall(analyze(sql), { text: sql, values, escapesText: false, driver: reading });
  }
  const { stringifyObjects = false, timezone } = driver;
  const text = values.length === 0 ? sql : format(sql, values as SqlValue[], stringifyObjects, timezone);
  // Whoever writes SQL in place of a value has written a part of the statement.
  const statement = analyze(values.some(isSql) ? text : sql);
  return writtenCall(statement, { text, escapesText: values.some(isEscaped), driver: reading });
}

function listOf(values: unknown): readonly unknown[] | undefined {
  if (values === undefined || Array.isArray(values)) return values;
  return [values];
}

function isSql(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isSql);
  return typeof value === 'object' && value !== null && 'toSqlString' in value;
}

/** Numbers, booleans and NULL are written without quotes. */
function isEscaped(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'number' && typeof value !== 'boolean';
}
