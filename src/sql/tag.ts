import { ParameterError } from '../errors/errors.ts';
import { SqlFragment } from './fragment.ts';
import type { SqlScalar, SqlValue } from './value.ts';
import { isScalar, refusal } from './value.ts';

/** What may stand in a `${…}` of the `sql` tag. */
export type SqlPart = SqlValue | SqlFragment;

/** A row of {@link SqlTag.values}: by position, or by name with the columns given. */
export type SqlRow = readonly (SqlScalar | SqlFragment)[] | Readonly<Record<string, SqlScalar | SqlFragment>>;

/** The `sql` tag and its helpers. */
export interface SqlTag {
  /**
   * A statement, or a piece of one: each `${value}` is bound, never written into the text; an array is for `IN (${ids})`;
   * a fragment is put in as SQL.
   */
  (strings: TemplateStringsArray, ...parts: SqlPart[]): SqlFragment;
  /** An identifier, quoted: `sql.id('shop', 'stock')` is `` `shop`.`stock` ``. */
  id(...path: string[]): SqlFragment;
  /** Fragments or values one after another. The separator, `', '` unless given, is SQL: never take it from outside. */
  join(parts: readonly (SqlScalar | SqlFragment)[], separator?: string): SqlFragment;
  /** The rows of a bulk insert: `` sql`INSERT INTO t (a, b) VALUES ${sql.values(rows)}` ``. All must be equally long. */
  values(rows: readonly (readonly (SqlScalar | SqlFragment)[])[]): SqlFragment;
  /** The same of objects: the properties named by `columns`, in that order; one that is missing is an error. */
  values<Row extends object>(rows: readonly Row[], columns: readonly (keyof Row & string)[]): SqlFragment;
  /** SQL as it stands, unescaped: never build it from outside input. A `?` in it is a placeholder without a value. */
  raw(text: string): SqlFragment;
}

/** The texts of templates without fragments in them: one string per place in the program, so that it is found quickly. */
const texts = new WeakMap<TemplateStringsArray, string>();

function tag(strings: TemplateStringsArray, ...parts: SqlPart[]): SqlFragment {
  if (!parts.some(isFragment)) {
    return new SqlFragment(texts.get(strings) ?? joined(strings), parts as SqlValue[]);
  }
  const builder = new Builder();
  strings.forEach((text, i) => {
    builder.text += text;
    if (i < parts.length) builder.add(parts[i] as SqlPart);
  });
  return builder.build();
}

function joined(strings: TemplateStringsArray): string {
  const text = strings.join('?');
  texts.set(strings, text);
  return text;
}

function isFragment(part: SqlPart): part is SqlFragment {
  return part instanceof SqlFragment;
}

function id(...path: string[]): SqlFragment {
  if (path.length === 0) throw new ParameterError('sql.id needs at least one name');
  return new SqlFragment(path.map(quoteName).join('.'), []);
}

function join(parts: readonly (SqlScalar | SqlFragment)[], separator = ', '): SqlFragment {
  if (parts.length === 0)
    throw new ParameterError('sql.join needs at least one part: nothing joined is no SQL');
  const builder = new Builder();
  parts.forEach((part, i) => {
    if (i > 0) builder.text += separator;
    builder.add(part);
  });
  return builder.build();
}

function values(rows: readonly SqlRow[] | readonly object[], columns?: readonly string[]): SqlFragment {
  if (rows.length === 0)
    throw new ParameterError('sql.values needs at least one row; skip an insert of nothing');
  const builder = new Builder();
  let width: number | undefined = columns?.length;
  rows.forEach((row, r) => {
    const cells = cellsOf(row, r, columns);
    width ??= cells.length;
    if (width === 0) throw new ParameterError('sql.values needs at least one column');
    if (cells.length !== width) {
      throw new ParameterError(`sql.values: row ${r} has ${cells.length} values, the first row has ${width}`);
    }
    builder.text += r === 0 ? '(' : ', (';
    cells.forEach((cell, c) => {
      if (c > 0) builder.text += ', ';
      if (!(cell instanceof SqlFragment) && !isScalar(cell)) {
        const where = columns === undefined ? `value ${c}` : `column "${columns[c]}"`;
        throw new ParameterError(`sql.values: row ${r}, ${where}: ${refusal(cell)}`);
      }
      builder.add(cell);
    });
    builder.text += ')';
  });
  return builder.build();
}

function raw(text: string): SqlFragment {
  if (typeof text !== 'string') throw new ParameterError(`sql.raw takes a string, not ${typeof text}`);
  return new SqlFragment(text, []);
}

function cellsOf(row: unknown, index: number, columns: readonly string[] | undefined): readonly unknown[] {
  if (columns === undefined) {
    if (Array.isArray(row)) return row;
    throw new ParameterError(
      `sql.values: row ${index} is no array; for objects name the columns as second argument`,
    );
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new ParameterError(`sql.values: row ${index} is no object, yet columns were named`);
  }
  return columns.map((column) => (row as Readonly<Record<string, unknown>>)[column]);
}

/** A name between backticks (MySQL manual, 11.2: any character but U+0000, at most 64). */
function quoteName(name: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new ParameterError('sql.id: a name must be a string that is not empty and has no U+0000');
  }
  return `\`${name.replaceAll('`', '``')}\``;
}

class Builder {
  text = '';
  readonly #values: SqlValue[] = [];

  add(part: SqlPart): void {
    if (part instanceof SqlFragment) {
      this.text += part.text;
      for (const value of part.values) this.#values.push(value);
    } else {
      this.text += '?';
      this.#values.push(part);
    }
  }

  build(): SqlFragment {
    return new SqlFragment(this.text, this.#values);
  }
}

/** The template tag for SQL with values in place: ``sql`SELECT * FROM stock WHERE sku = ${sku}` ``. */
// Last in the file: bundlers that keep names (esbuild) set them behind each function, which fails once it is frozen.
export const sql: SqlTag = Object.freeze(Object.assign(tag, { id, join, values, raw }));
