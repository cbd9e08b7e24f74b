import { readFile } from 'node:fs/promises';
import type { Cluster } from 'vipsql';

/** Runs `schema.sql` on the primary; what exists stays as it is. */
export async function createTables(db: Cluster): Promise<void> {
  const text = await readFile(new URL('schema.sql', import.meta.url), 'utf8');
  const statements = text.split(/;\s*$/m).filter((statement) => statement.trim() !== '');
  for (const statement of statements) await db.primary().execute(statement);
}
