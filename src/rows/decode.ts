import type { FieldPacket } from 'mysql2';
import { RowSchemaError } from '../errors/errors.ts';
import { utcOffsetMs } from '../sql/utc-offset.ts';
import { doubleAsText, floatAsText } from './approximate.ts';
import { columnTypes, type TypeConfig } from './column-types.ts';
import { dateTextOf, dateTimeTextOf, parseDateTime, readDateTime, timeTextOf } from './temporal.ts';

/** Turns a row of mysql2 into what vipsql promises, in place. */
export type RowDecoder = (row: Record<string, unknown>, rowIndex?: number) => void;

export interface DecodeOptions {
  readonly types: TypeConfig;
  /** How the rows travel: `query` uses the text protocol, `execute` the prepared one. */
  readonly protocol: 'text' | 'prepared';
  /** Columns to parse as JSON whatever the server says they are. */
  readonly json?: readonly string[] | undefined;
}

type Convert = (value: unknown, rowIndex: number) => unknown;

interface Step {
  readonly name: string;
  readonly convert: Convert;
}

const zerofillFlag = 64;

/**
 * The work that the rows of one result need, or undefined when they need none.
 *
 * To be called when mysql2 emits `fields`, before it builds its row parser: where mysql2's own reader is not exact or
 * loses what the column knows (DOUBLE in text, dates and times in the prepared protocol), the field is marked so that
 * mysql2 hands over the text or bytes as they came. `field.type` still tells the column's real type afterwards.
 */
export function rowDecoder(fields: readonly FieldPacket[], options: DecodeOptions): RowDecoder | undefined {
  const steps: Step[] = [];
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as FieldPacket;
    const convert =
      options.json?.includes(field.name) === true ? parseJson(field.name) : converter(field, options);
    if (convert !== undefined && !isRepeated(fields, i)) steps.push({ name: field.name, convert });
  }
  if (steps.length === 0) return undefined;
  return (row, rowIndex = 0) => {
    for (let i = 0; i < steps.length; i++) {
      const { name, convert } = steps[i] as Step;
      const value = row[name];
      if (value === null) continue;
      const converted = convert(value, rowIndex);
      if (converted !== value) row[name] = converted;
    }
  };
}

function converter(field: FieldPacket, { types, protocol }: DecodeOptions): Convert | undefined {
  const text = protocol === 'text';
  const type = field.type ?? field.columnType;
  const { decimals } = field;
  switch (type) {
    case columnTypes.bigint:
      return bigints(field, types.bigint);
    case columnTypes.float:
    case columnTypes.double:
      if (text) {
        field.columnType = columnTypes.decimal; // mysql2 then reads text; its own reading of doubles is not exact
        return Number;
      }
      if (type === columnTypes.float) return (value) => floatAsText(value as number, decimals);
      return decimals < 31 ? (value) => doubleAsText(value as number, decimals) : undefined;
    case columnTypes.datetime:
    case columnTypes.timestamp:
      return dateTimes(field, types, text);
    case columnTypes.date:
      return text ? undefined : fromBytes(field, dateTextOf);
    case columnTypes.time:
      return text ? undefined : fromBytes(field, (bytes) => timeTextOf(bytes, decimals));
    case columnTypes.json:
      return parseJson(field.name);
    case columnTypes.vector:
      // A vector has one dimension at least; mysql2 reads NULL in text as none.
      return text ? (value) => ((value as unknown[]).length === 0 ? null : value) : undefined;
    default:
      return undefined;
  }
}

function bigints(field: FieldPacket, mode: TypeConfig['bigint']): Convert | undefined {
  if (mode === 'auto') return (value) => (typeof value === 'string' ? BigInt(value) : value);
  if (mode === 'bigint') return (value) => BigInt(value as string | number);
  const zerofill = (Number(field.flags) & zerofillFlag) !== 0;
  return zerofill ? (value) => BigInt(value as string).toString() : undefined;
}

function dateTimes(field: FieldPacket, types: TypeConfig, text: boolean): Convert | undefined {
  const offsetMs = utcOffsetMs(types.timezone ?? '+00:00');
  if (types.dates === 'date') {
    const parse = (value: unknown): Date => parseDateTime(value as string, offsetMs);
    return text ? parse : fromBytes(field, (bytes) => readDateTime(bytes, offsetMs), parse);
  }
  return text ? undefined : fromBytes(field, (bytes) => dateTimeTextOf(bytes, field.decimals));
}

/**
 * Makes mysql2 hand over the bytes: on the wire they are a length and its bytes, as a BLOB is. Should a mysql2 have read
 * the column nevertheless, it gives text.
 */
function fromBytes(
  field: FieldPacket,
  read: (bytes: Buffer) => unknown,
  readText: (text: string) => unknown = (text) => text,
): Convert {
  field.columnType = columnTypes.blob;
  return (value) => (typeof value === 'string' ? readText(value) : read(value as Buffer));
}

function parseJson(name: string): Convert {
  return (value, rowIndex) => {
    if (typeof value !== 'string' && !Buffer.isBuffer(value)) return value;
    try {
      return JSON.parse(value.toString());
    } catch {
      // The cause is left out: it quotes the value.
      throw new RowSchemaError(`row ${rowIndex}: column "${name}" is not JSON`, { rowIndex, path: name });
    }
  };
}

/** True when a later column has the same name: its value is the one that mysql2 keeps. */
function isRepeated(fields: readonly FieldPacket[], index: number): boolean {
  const name = fields[index]?.name;
  for (let i = index + 1; i < fields.length; i++) if (fields[i]?.name === name) return true;
  return false;
}
