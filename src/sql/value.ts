import { ParameterError } from '../errors/errors.ts';

/**
 * One value of a statement.
 *
 * Numbers must be finite, Dates valid and of the years 0 to 9999; a Date is sent in the session's time zone (UTC unless
 * configured) with milliseconds, a boolean as 1 or 0, bytes as binary. Objects and `undefined` are errors: serialise with `JSON.stringify`, and say `null`.
 */
export type SqlScalar = string | number | bigint | boolean | null | Date | Uint8Array;

/** A value, or the values of an `IN (?)`. */
export type SqlValue = SqlScalar | readonly SqlScalar[];

/** The values of a statement: by position for `?`, by name for `:name`. */
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

/** The placeholder as errors name it: its index from 0, or its name. */
export type Placeholder = number | string;

/** The literal of a number: every integer digit is exact, and fractions are what JavaScript prints. */
export function numberLiteral(value: number, placeholder: Placeholder): string {
  if (Number.isSafeInteger(value)) return `${value}`;
  if (!Number.isFinite(value)) throw badValue(placeholder, `${value} is not a number that SQL knows`);
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : `${value}`;
}

const two = Array.from({ length: 60 }, (_, n) => `${n}`.padStart(2, '0'));

/** `YYYY-MM-DD HH:MM:SS.mmm` in the session's time zone, given as milliseconds ahead of UTC. */
export function dateText(value: Date, placeholder: Placeholder, offsetMs: number): string {
  const local = offsetMs === 0 ? value : new Date(value.getTime() + offsetMs);
  const year = local.getUTCFullYear(); // NaN for an invalid Date
  if (!(year >= 0 && year <= 9999)) {
    throw badValue(placeholder, Number.isNaN(year) ? 'is an invalid Date' : `is a Date of the year ${year}`);
  }
  const day = `${`${year}`.padStart(4, '0')}-${two[local.getUTCMonth() + 1]}-${two[local.getUTCDate()]}`;
  const time = `${two[local.getUTCHours()]}:${two[local.getUTCMinutes()]}:${two[local.getUTCSeconds()]}`;
  return `${day} ${time}.${`${local.getUTCMilliseconds()}`.padStart(3, '0')}`;
}

const special = /['\\]/;
const specials = /['\\]/g;

/** A quoted literal, right for utf8mb4 while `NO_BACKSLASH_ESCAPES` is off: only the quote and the backslash are special. */
export function stringLiteral(value: string): string {
  return special.test(value) ? `'${value.replace(specials, '\\$&')}'` : `'${value}'`;
}

/** A hexadecimal literal, which no SQL mode can misread. */
export function bytesLiteral(value: Uint8Array): string {
  return `X'${asBuffer(value).toString('hex')}'`;
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** True for an instance of Date, of another realm too. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date || Object.prototype.toString.call(value) === '[object Date]';
}

/** True for a value of a kind that SQL knows, though it may still be out of range. */
export function isScalar(value: unknown): value is SqlScalar {
  const type = typeof value;
  if (type === 'object') return value === null || isDate(value) || value instanceof Uint8Array;
  return type === 'string' || type === 'number' || type === 'bigint' || type === 'boolean';
}

/** An error that names the placeholder, never the value. */
export function badValue(placeholder: Placeholder, what: string): ParameterError {
  return new ParameterError(`${describe(placeholder)}: ${what}`, { parameter: placeholder });
}

/** The error for a value of a kind that cannot be bound. */
export function refuse(value: unknown, placeholder: Placeholder): ParameterError {
  return badValue(placeholder, refusal(value));
}

/** Why a value of this kind cannot be bound, without the value. */
export function refusal(value: unknown): string {
  if (value === undefined) return 'the value is undefined; say null for NULL';
  if (Array.isArray(value)) return 'an array can only stand in IN (?); use sql.join or sql.values elsewhere';
  if (typeof value !== 'object' || value === null) return `a ${typeof value} is no SQL value`;
  const name: unknown = value.constructor?.name;
  const kind = typeof name === 'string' && name !== 'Object' ? `an object (${name})` : 'a plain object';
  return `${kind} is no SQL value; use JSON.stringify for a JSON column`;
}

function describe(placeholder: Placeholder): string {
  return typeof placeholder === 'number'
    ? `placeholder ${placeholder + 1} ("?", params[${placeholder}])`
    : `placeholder ":${placeholder}"`;
}
