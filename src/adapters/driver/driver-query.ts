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
  /** mysql2's `timeout` of one query. */
  readonly timeoutMs: number | undefined;
  /** What mysql2 does not have: ends the query when it fires. */
  readonly signal: AbortSignal | undefined;
}

export type DriverQueryInput = string | (Readonly<Record<string, unknown>> & { readonly sql: string });

/** How a query is to be taken. */
export interface QueryTerms {
  /** The server binds the values. */
  readonly prepare: boolean;
  /** An object of values is looked up by the names of its placeholders, as with mysql2's option of that name. */
  readonly namedPlaceholders?: boolean | undefined;
}

/** Puts together what a method of mysql2's was called with. */
export function driverQuery(input: DriverQueryInput, values: unknown, terms: QueryTerms): DriverQuery {
  const given: Given = typeof input === 'string' ? { sql: input } : input;
  const bound = values ?? given.values;
  const { timeout, signal, namedPlaceholders = terms.namedPlaceholders } = given;
  const named = namedPlaceholders === true && isNamed(bound) ? byName(given.sql, bound) : undefined;
  return {
    sql: named === undefined ? given.sql : named.sql,
    values: named === undefined ? listOf(bound) : named.values,
    options: ofOneQuery(given),
    prepare: terms.prepare,
    timeoutMs: typeof timeout === 'number' && timeout > 0 ? timeout : undefined,
    signal: signal instanceof AbortSignal ? signal : undefined,
  };
}

type Given = Exclude<DriverQueryInput, string>;

/** What one query may decide of its rows. The rest would change what is sent. */
const rowOptions: ReadonlySet<string> = new Set<keyof DriverOptions>([
  'rowsAsArray',
  'nestTables',
  'typeCast',
  'dateStrings',
  'supportBigNumbers',
  'bigNumberStrings',
  'decimalNumbers',
  'jsonStrings',
]);

/** Most queries have none of them: what is there is looked at, not what might be. */
function ofOneQuery(given: Given): Readonly<Record<string, unknown>> | undefined {
  let kept: Record<string, unknown> | undefined;
  for (const name in given) {
    if (!rowOptions.has(name) || given[name] === undefined) continue;
    kept ??= {};
    kept[name] = given[name];
  }
  return kept;
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

function isNamed(values: unknown): values is Readonly<Record<string, unknown>> {
  return typeof values === 'object' && values !== null && !Array.isArray(values);
}

function byName(sql: string, values: Readonly<Record<string, unknown>>): Pick<DriverQuery, 'sql' | 'values'> {
  const { placeholders, template } = analyze(sql);
  if (placeholders !== 'named') return { sql, values: [values] };
  return { sql: template.positionalText, values: template.slots.map(({ name = '' }) => values[name]) };
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
