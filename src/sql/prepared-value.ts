import mysql, { type TypedParameterValue } from 'mysql2';
import type { Placeholder } from './value.ts';
import { asBuffer, dateText, isDate, numberLiteral, refuse } from './value.ts';

/** A value as mysql2's `execute` takes it. */
export type BoundValue = string | boolean | null | number | Buffer | TypedParameterValue;

// Read once: the property is a getter that costs microseconds.
const { LONGLONG, NEWDECIMAL } = mysql.TypedParameter;

const LONGLONG_TYPE = mysql.Types.LONGLONG;
const MAX_SIGNED = 2n ** 63n - 1n;
const MIN_SIGNED = -(2n ** 63n);
const MAX_UNSIGNED = 2n ** 64n - 1n;

/**
 * The value for the binary protocol, with the SQL type that its literal has in the text protocol, so that both give the
 * same result: integers exact as BIGINT, fractions as DECIMAL, numbers with an exponent as DOUBLE. (mysql2 on its own
 * sends every number as DOUBLE: arithmetic on BIGINT and DECIMAL columns is then rounded, and `LIMIT ?` refused.)
 */
export function preparedScalar(value: unknown, placeholder: Placeholder, offsetMs: number): BoundValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return preparedNumber(value, placeholder);
    case 'bigint':
      return preparedInteger(value);
    case 'object':
      if (value === null) return null;
      if (isDate(value)) return dateText(value, placeholder, offsetMs);
      if (value instanceof Uint8Array) return asBuffer(value);
  }
  throw refuse(value, placeholder);
}

function preparedNumber(value: number, placeholder: Placeholder): BoundValue {
  if (Number.isSafeInteger(value)) return LONGLONG(value);
  const text = numberLiteral(value, placeholder);
  if (text.includes('e')) return value;
  return Number.isInteger(value) ? preparedInteger(BigInt(text)) : NEWDECIMAL(text);
}

function preparedInteger(value: bigint): BoundValue {
  if (value >= MIN_SIGNED && value <= MAX_SIGNED) return LONGLONG(value);
  return value > 0n && value <= MAX_UNSIGNED ? LONGLONG.unsigned(value) : NEWDECIMAL(value.toString());
}

/**
 * The kind of each value, or '' when all are text or NULL.
 *
 * MySQL from 8.0.22 on gives a `?` without context (`JSON_SET(j, '$.a', ?)`) the type of the first value that it saw and
 * turns later strings into that: 'hello' is stored as 0 once 5 has been. So each combination of kinds has to be another
 * statement to the server.
 */
export function kindsOf(values: readonly BoundValue[]): string {
  let kinds = '';
  let plain = true;
  for (const value of values) {
    const kind = kindOf(value);
    if (kind !== 's') plain = false;
    kinds += kind;
  }
  return plain ? '' : kinds;
}

function kindOf(value: BoundValue): string {
  if (value === null || typeof value === 'string') return 's';
  if (typeof value === 'number') return 'f';
  if (typeof value === 'boolean') return 'i';
  if (Buffer.isBuffer(value)) return 'b';
  return 'value' in value && value.type === LONGLONG_TYPE ? 'i' : 'd';
}
