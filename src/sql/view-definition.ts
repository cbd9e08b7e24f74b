import { analyze } from './statement.ts';
import type { TableRef } from './tables.ts';

/** What a view reads. */
export interface ViewContent {
  /** The tables and views of its definition, each with its schema. */
  readonly tables: readonly Required<TableRef>[];
  /** What it does that its tables do not show: it calls a function that is not built in, which may read anything. */
  readonly hidden: string | undefined;
}

/** Reads the definition of a view of a schema, as `information_schema.VIEWS` has it. */
export function readViewDefinition(schema: string, definition: string): ViewContent {
  const { tables, demand } = analyze(definition);
  return {
    tables: tables.map((table) => ({ schema: table.schema ?? schema, name: table.name })),
    hidden: demand === undefined || demand.scope === 'server' ? undefined : demand.reason,
  };
}
