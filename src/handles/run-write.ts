import { tableIn } from '../cache/table-tags.ts';
import type { PrimaryOptions } from '../config/call-options.ts';
import type { Answer } from '../pool/command.ts';
import type { Begun } from './begin.ts';
import { followed } from './cached-read.ts';
import type { Call } from './call.ts';
import { invalidating } from './invalidating.ts';
import { answerDeadline, runOnPrimary } from './run-on-primary.ts';
import type { Services } from './services.ts';

/** Runs one statement on the primary, with what it makes old in the cache. */
export function runWrite(
  services: Services,
  begun: Begun,
  call: Call,
  options: PrimaryOptions | undefined,
): Promise<Answer> {
  const { invalidates } = options ?? {};
  const tables = writtenTables(services, call);
  if (invalidates === undefined && tables.length === 0) return runOnPrimary(services, begun, call, options);
  if (invalidates?.tables !== undefined) followed(services, invalidates.tables.map(tableIn));
  const targets = { ...invalidates, tables: [...tables, ...(invalidates?.tables ?? [])] };
  const deadline = answerDeadline(begun, call, options);
  return invalidating(services, { targets, deadline }, () => runOnPrimary(services, begun, call, options));
}

const none: readonly string[] = [];

/** The tables of a statement that may write, as far as they are followed by the cache. */
export function writtenTables(
  { cache }: Pick<Services, 'cache'>,
  { command, statement }: Call,
): readonly string[] {
  if (cache === undefined || command.statement === 'read') return none;
  return cache.tables.of(statement.tables);
}
