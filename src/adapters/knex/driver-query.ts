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
  const { sql, values: inner, ...others } = input;
  return { sql, values: listOf(values ?? inner), options: ofOneQuery(others), prepare };
}

/** What one query may decide: how its rows look. The rest would change what is sent, or when it is given up. */
const rowOptions = [
  'rowsAsArray',
  'nestTables',
  'typeCast',
  'dateStrings',
  'supportBigNumbers',
  'bigNumberStrings',
  'decimalNumbers',
  'jsonStrings',
] as const satisfies readonly (keyof DriverOptions)[];

function ofOneQuery(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const kept = rowOptions.filter((name) => given[name] !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept.map((name) => [name, given[name]]));
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
  const statement = analyze(isSql(values) ? text : sql);
  return writtenCall(statement, { text, escapesText: values.some(isEscaped), driver: reading });
}

function listOf(values: unknown): readonly unknown[] | undefined {
  if (values === undefined || Array.isArray(values)) return values;
  return [values];
}

/** Values nested deeper than this are taken for SQL, which is only read more closely then. */
const deepestValue = 4;

function isSql(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if ('toSqlString' in value || depth === deepestValue) return true;
  const parts: readonly unknown[] =
    Array.isArray(value) || value instanceof Set ? [...value] : Object.values(value);
  return parts.some((part) => isSql(part, depth + 1));
}

/** Numbers, booleans and NULL are written without quotes. */
function isEscaped(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'number' && typeof value !== 'boolean';
}
