import { compileTablePatterns } from '../sql/table-patterns.ts';
import type { TableRef } from '../sql/tables.ts';

/**
 * Knows the tables whose writes make old what was read of them. Which table it is, is told by a name in lower case with
 * its schema: two tables that differ in letter case only count as one.
 */
export class TableTags {
  readonly #isFollowed: (table: TableRef) => boolean;
  readonly #database: string | undefined;
  readonly #isEmpty: boolean;

  constructor(patterns: readonly string[], database: string | undefined) {
    const isListed = compileTablePatterns(patterns);
    // A table without a schema is the one in the database of all connections, and no other.
    this.#isFollowed = ({ schema = database, name }) =>
      isListed(schema === undefined ? { name } : { schema, name });
    this.#database = database;
    this.#isEmpty = patterns.length === 0;
  }

  /** The names of those that are followed, each once. */
  of(tables: readonly TableRef[]): readonly string[] {
    if (this.#isEmpty) return [];
    return [...new Set(tables.filter(this.#isFollowed).map((table) => this.#nameOf(table)))];
  }

  /** The first of them that is not followed. */
  unfollowed(tables: readonly TableRef[]): string | undefined {
    const table = tables.find((each) => !this.#isFollowed(each));
    return table === undefined ? undefined : this.#nameOf(table);
  }

  /** The name of a table that is given as `'table'` or `'schema.table'`, or by its name. */
  nameOf(text: string): string {
    return this.#nameOf(tableIn(text));
  }

  #nameOf({ schema = this.#database ?? '', name }: TableRef): string {
    return `${schema}.${name}`.toLowerCase();
  }
}

/** A table as it is given: `'table'` or `'schema.table'`. */
export function tableIn(text: string): TableRef {
  const dot = text.indexOf('.');
  return dot < 0 ? { name: text } : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}
