import { readFileSync } from 'node:fs';
import { bindText } from '../../src/sql/bind.ts';
import { analyze } from '../../src/sql/statement.ts';
import { dangerous, type Label } from './label.ts';

/** The labels that real servers gave, one statement per line: its text, MySQL's label, MariaDB's. */
export const labelledFile = new URL('./labelled.jsonl', import.meta.url);

export interface Labelled {
  readonly sql: string;
  readonly mysql: Label;
  readonly mariadb: Label;
}

export function readLabelled(): readonly Labelled[] {
  const lines = readFileSync(labelledFile, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [sql, mysql, mariadb] = JSON.parse(line) as [string, Label, Label];
    return { sql, mysql, mariadb };
  });
}

/** A server refuses it as a write, it locks, or it changes the session, on either vendor. */
export function isDangerous({ mysql, mariadb }: Labelled): boolean {
  return dangerous.has(mysql) || dangerous.has(mariadb);
}

/** A vendor ran it, and neither found it to do anything but read. */
export function isHarmless(entry: Labelled): boolean {
  return !isDangerous(entry) && (entry.mysql === 'read' || entry.mariadb === 'read');
}

/** The statement as it is sent, with 1 for each placeholder. */
export function withValues(sql: string): string {
  const statement = analyze(sql);
  const { slots, names, problem } = statement.template;
  if (slots.length === 0 || problem !== undefined) return sql;
  const params = names.length > 0 ? Object.fromEntries(names.map((name) => [name, 1])) : slots.map(() => 1);
  return bindText(statement, params).text;
}
