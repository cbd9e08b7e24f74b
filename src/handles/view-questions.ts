import { rowsOf } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { TableRef } from '../sql/tables.ts';
import { stringLiteral } from '../sql/value.ts';
import { readViewDefinition } from '../sql/view-definition.ts';

type Located = Required<TableRef>;

/** What the primary says of one name; what it does not show is taken for a table. */
export interface Looked {
  /** Why it is read on the primary only, behind "The table x "; `undefined` when it may be read anywhere. */
  readonly why: string | undefined;
  /** The view whose definition is hidden from this account, as `schema.view`. */
  readonly unreadable: string | undefined;
}

/** Schemas of the server itself, whose views read no table of a user. */
const systemSchemas: ReadonlySet<string> = new Set([
  'information_schema',
  'performance_schema',
  'mysql',
  'sys',
]);

/** Whether a schema is the server's own. */
export function isOfServer(schema: string): boolean {
  return systemSchemas.has(schema.toLowerCase());
}

/** The same for one name only. */
export function keyOf({ schema, name }: Located): string {
  return `${schema}\0${name}`;
}

/** No server nests views so deep; definitions that were changed meanwhile might lead in a circle. */
const maxDepth = 30;

/** Asks whether a name is a view that reads a table that `isListed`, itself or through other views. */
export async function askWhyOnlyPrimary(
  connection: Connection,
  table: Located,
  isListed: (table: TableRef) => boolean,
  deadline: Deadline,
): Promise<Looked> {
  const seen = new Set<string>();
  const open: { readonly table: Located; readonly depth: number }[] = [{ table, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const key = keyOf(next.table);
    if (seen.has(key) || isOfServer(next.table.schema)) continue;
    seen.add(key);
    const { type, definition } = await askDefinition(connection, next.table, deadline);
    if (type !== 'VIEW') continue;
    const name = `${next.table.schema}.${next.table.name}`;
    const only = (reason: string, unreadable?: string): Looked => ({
      why: next?.depth === 0 ? `is a view that ${reason}` : `is a view over ${name}, which ${reason}`,
      unreadable,
    });
    if (!definition) return only('may hide a primaryOnly table: its definition cannot be read', name);
    const { tables, hidden } = readViewDefinition(next.table.schema, definition);
    if (hidden !== undefined) return only(`may read a primaryOnly table, since ${hidden}`);
    const listed = tables.find(isListed);
    if (listed !== undefined) return only(`reads ${listed.schema}.${listed.name}, which is primaryOnly`);
    if (next.depth === maxDepth) return only('is nested too deeply to be looked into');
    for (const inner of tables) open.push({ table: inner, depth: next.depth + 1 });
  }
  return { why: undefined, unreadable: undefined };
}

/** The names of a schema that this account may see, with what `information_schema.TABLES` calls their type. */
export async function askTypes(
  connection: Connection,
  schema: string,
  deadline: Deadline,
): Promise<ReadonlyMap<string, string>> {
  const rows = await ask(
    connection,
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${stringLiteral(schema)}`,
    deadline,
  );
  return new Map(rows.map(({ name, type }) => [String(name), String(type)]));
}

interface Definition {
  /** As `information_schema.TABLES` has it; `undefined` when there is no such table, or none that may be seen. */
  readonly type: string | undefined;
  /** Empty or NULL without the privilege SHOW VIEW. */
  readonly definition: string | null | undefined;
}

async function askDefinition(
  connection: Connection,
  table: Located,
  deadline: Deadline,
): Promise<Definition> {
  const place = `TABLE_SCHEMA = ${stringLiteral(table.schema)} AND TABLE_NAME = ${stringLiteral(table.name)}`;
  // Two questions by name: a join would have MariaDB open every table there is.
  const [row] = await ask(
    connection,
    `SELECT TABLE_TYPE AS value FROM information_schema.TABLES WHERE ${place}`,
    deadline,
  );
  const type = row?.value as string | undefined;
  if (type !== 'VIEW') return { type, definition: undefined };
  const [view] = await ask(
    connection,
    `SELECT VIEW_DEFINITION AS value FROM information_schema.VIEWS WHERE ${place}`,
    deadline,
  );
  return { type, definition: view?.value as string | null | undefined };
}

async function ask(
  connection: Connection,
  text: string,
  deadline: Deadline,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const command = { text, statement: 'read', phase: 'statement', escapesText: true } as const;
  return rowsOf(await connection.run(command, deadline));
}
