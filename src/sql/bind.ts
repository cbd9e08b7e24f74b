import { ParameterError } from '../errors/errors.ts';
import { SqlFragment } from './fragment.ts';
import { type BoundValue, kindsOf, preparedScalar } from './prepared-value.ts';
import { analyze, type Statement } from './statement.ts';
import type { Slot } from './template.ts';
import { utcOffsetMs } from './utc-offset.ts';
import {
  badValue,
  bytesLiteral,
  dateText,
  isDate,
  numberLiteral,
  type Placeholder,
  refuse,
  type SqlParams,
  stringLiteral,
} from './value.ts';

/** A statement with its values written into it. */
export interface TextBinding {
  readonly text: string;
  /** True when a string or bytes were written: a connection whose server reports NO_BACKSLASH_ESCAPES must refuse it. */
  readonly hasStringOrBuffer: boolean;
}

/** A statement to prepare, with the values to send beside it. */
export interface PreparedBinding {
  readonly text: string;
  readonly values: BoundValue[];
}

/** What a handle is given, analysed. */
export interface Bindable {
  readonly statement: Statement;
  readonly params: SqlParams | undefined;
}

/**
 * Takes apart what a handle was called with.
 *
 * @throws ParameterError for anything but a string or a fragment, and for values beside a fragment, which has its own.
 */
export function toBindable(sql: string | SqlFragment, params?: SqlParams): Bindable {
  if (typeof sql === 'string') return { statement: analyze(sql), params };
  if (!(sql instanceof SqlFragment)) {
    throw new ParameterError(`the statement must be a string or made by the sql tag, not ${typeof sql}`);
  }
  if (params !== undefined) {
    throw new ParameterError(
      'a statement made by the sql tag carries its values itself: leave the second argument out',
    );
  }
  return { statement: analyze(sql.text), params: sql.values };
}

/**
 * Writes the values into the text, for the text protocol.
 *
 * Dates are written in `timezone` (`+HH:MM`), which must be the session's.
 *
 * @throws ParameterError naming the placeholder, when a value is missing, superfluous or of a kind SQL does not know.
 */
export function bindText(statement: Statement, params?: SqlParams, timezone = '+00:00'): TextBinding {
  const { parts, slots } = statement.template;
  const values = valuesFor(statement, params);
  const offsetMs = utcOffsetMs(timezone);
  let text = parts[0] ?? '';
  let hasStringOrBuffer = false;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as Slot;
    const value = values[i];
    if (typeof value === 'number') text += numberLiteral(value, slot.name ?? i);
    else {
      if (isText(value)) hasStringOrBuffer = true;
      text += literal(value, slot, { placeholder: slot.name ?? i, offsetMs });
    }
    text += parts[i + 1];
  }
  return { text, hasStringOrBuffer };
}

/**
 * Makes the statement one that a server prepares, with its values: `:name` becomes `?`, and an array in `IN (?)` becomes
 * as many `?` as it has elements. Dates are as {@link bindText} writes them. A comment tells statements with values of
 * other kinds apart, see {@link kindsOf}.
 *
 * @throws ParameterError as {@link bindText} does.
 */
export function bindPrepared(statement: Statement, params?: SqlParams, timezone = '+00:00'): PreparedBinding {
  const { slots, positionalText } = statement.template;
  const values = valuesFor(statement, params);
  const offsetMs = utcOffsetMs(timezone);
  const bound: BoundValue[] = [];
  let expanded = false;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as Slot;
    const value = values[i];
    const placeholder = slot.name ?? i;
    if (slot.inList && Array.isArray(value)) {
      expanded = true;
      for (const element of listOf(value, placeholder))
        bound.push(preparedScalar(element, placeholder, offsetMs));
    } else bound.push(preparedScalar(value, placeholder, offsetMs));
  }
  const text = expanded ? expandedText(statement, values) : positionalText;
  const kinds = kindsOf(bound);
  return { text: kinds === '' ? text : `${text} /*${kinds}*/`, values: bound };
}

const nothing: readonly unknown[] = Object.freeze([]);

/** The values in the order of the placeholders, when there are exactly as many as the statement asks for. */
function valuesFor(statement: Statement, params: SqlParams | undefined): readonly unknown[] {
  const { slots, problem } = statement.template;
  if (problem !== undefined) throw new ParameterError(`the statement cannot take values: ${problem}`);
  if (statement.placeholders === 'named') return namedValues(statement, params);
  if (Array.isArray(params)) {
    if (params.length === slots.length) return params;
    throw new ParameterError(`the statement has ${slots.length} "?", but ${params.length} values were given`);
  }
  if (slots.length > 0) {
    throw new ParameterError(
      `the statement has ${slots.length} "?", so its values must be an array of as many`,
    );
  }
  if (params === undefined || isEmptyObject(params)) return nothing;
  throw new ParameterError('values were given, but the statement has no placeholder');
}

function namedValues(statement: Statement, params: SqlParams | undefined): readonly unknown[] {
  const { slots, names } = statement.template;
  if (typeof params !== 'object' || params === null || Array.isArray(params)) {
    throw new ParameterError(
      `the statement names its placeholders (":${names[0]}"), so its values must be an object`,
    );
  }
  const given = params as Readonly<Record<string, unknown>>;
  const values: unknown[] = [];
  for (const slot of slots) {
    const name = slot.name ?? '';
    if (!Object.hasOwn(given, name)) throw badValue(name, 'no value of this name was given');
    values.push(given[name]);
  }
  const keys = Object.keys(given);
  if (keys.length !== names.length) {
    const unused = keys.find((key) => !names.includes(key)) ?? '';
    throw badValue(unused, 'the statement has no placeholder of this name');
  }
  return values;
}

interface Target {
  readonly placeholder: Placeholder;
  readonly offsetMs: number;
}

function literal(value: unknown, slot: Slot, target: Target): string {
  if (!slot.inList || !Array.isArray(value)) return scalarLiteral(value, target);
  return listOf(value, target.placeholder)
    .map((element) => scalarLiteral(element, target))
    .join(', ');
}

function scalarLiteral(value: unknown, { placeholder, offsetMs }: Target): string {
  switch (typeof value) {
    case 'string':
      return stringLiteral(value);
    case 'number':
      return numberLiteral(value, placeholder);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? '1' : '0';
    case 'object':
      if (value === null) return 'NULL';
      if (isDate(value)) return `'${dateText(value, placeholder, offsetMs)}'`;
      if (value instanceof Uint8Array) return bytesLiteral(value);
  }
  throw refuse(value, placeholder);
}

function isText(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isText);
  return typeof value === 'string' || value instanceof Uint8Array;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function listOf(value: readonly unknown[], placeholder: Placeholder): readonly unknown[] {
  if (value.length > 0) return value;
  throw badValue(
    placeholder,
    'the array for IN (?) is empty, which SQL cannot say; skip the query, or leave the condition out',
  );
}

function expandedText(statement: Statement, values: readonly unknown[]): string {
  const { parts, slots } = statement.template;
  let text = parts[0] ?? '';
  for (let i = 0; i < slots.length; i++) {
    const value = values[i];
    if (Array.isArray(value)) text += '?,'.repeat(value.length - 1);
    text += `?${parts[i + 1]}`;
  }
  return text;
}
