import type { CallOptions } from '../config/call-options.ts';
import { ImplicitCommitError, PrimaryRequiredError } from '../errors/errors.ts';
import type { Command } from '../pool/command.ts';
import { bindPrepared, bindText, toBindable } from '../sql/bind.ts';
import type { SqlFragment } from '../sql/fragment.ts';
import type { Statement } from '../sql/statement.ts';
import type { SqlParams } from '../sql/value.ts';
import type { Services } from './services.ts';

/** A statement as text with placeholders, or made by the `sql` tag with its values inside. */
export type Query = string | SqlFragment;

/** A statement that is ready to be sent, with all that is known about it. */
export interface Call {
  readonly statement: Statement;
  readonly command: Command;
}

/** Statements that change nothing by themselves, so that an error the server reports for one has undone it. */
const readingVerbs: ReadonlySet<string> = new Set([
  'SELECT',
  'VALUES',
  'TABLE',
  'SHOW',
  'EXPLAIN',
  'DESCRIBE',
  'DESC',
]);

/** Statements after which the session is no longer what the next user of the connection expects. */
const sessionVerbs: ReadonlySet<string> = new Set([
  'SET',
  'USE',
  'PREPARE',
  'EXECUTE',
  'DEALLOCATE',
  'LOCK',
  'HANDLER',
]);

/** What a method of a handle was called with. */
export interface Request {
  readonly query: Query;
  readonly params: SqlParams | undefined;
  readonly options: CallOptions | undefined;
}

/** Analyses a statement and binds its values; Dates are written in `timezone`. Throws {@link ParameterError}. */
export function prepareCall(request: Request, timezone: string): Call {
  const { options } = request;
  const { statement, params: values } = toBindable(request.query, request.params);
  const common = { statement: statementKind(statement), phase: 'statement', json: options?.json } as const;
  if (options?.prepare === true) {
    const bound = bindPrepared(statement, values, timezone);
    return { statement, command: { ...bound, ...common, escapesText: false } };
  }
  const bound = bindText(statement, values, timezone);
  return { statement, command: { text: bound.text, ...common, escapesText: bound.hasStringOrBuffer } };
}

/** Whether the session has to be reset before another caller gets its connection. */
export function changesSession({ verb }: Statement): boolean {
  return sessionVerbs.has(verb);
}

/** Whether the answer may take as long as it takes: a table is built or rebuilt. */
export function isUnbounded(statement: Statement): boolean {
  return statement.implicitCommit && statement.transactionControl === undefined;
}

/** Refuses what would leave a transaction open on a connection that goes back to the pool. */
export function refuseTransactionControl({ transactionControl }: Statement): void {
  if (transactionControl === undefined) return;
  throw new ImplicitCommitError(
    `${transactionControl} steers a transaction and was not sent: a handle takes another connection for each statement. ` +
      'Use db.transaction(…), or db.primary().connection(…) for a session of your own.',
  );
}

/** Refuses what would commit the transaction behind vipsql's back. */
export function refuseImplicitCommit({ verb, transactionControl, implicitCommit }: Statement): void {
  if (transactionControl === undefined && !implicitCommit) return;
  throw new ImplicitCommitError(
    `${transactionControl ?? verb} would end or steer the transaction by itself and was not sent. ` +
      'Return from the closure to commit, throw to roll back, use tx.savepoint(…) for a part; run DDL outside.',
  );
}

/** Refuses a replica read of a table that is only ever read on the primary. */
export function refusePrimaryOnly(
  { tables }: Statement,
  { isPrimaryOnly }: Pick<Services, 'isPrimaryOnly'>,
): void {
  const table = tables.find(isPrimaryOnly);
  if (table === undefined) return;
  const name = table.schema === undefined ? table.name : `${table.schema}.${table.name}`;
  throw new PrimaryRequiredError(
    `The table ${name} is configured as primaryOnly: a replica may lag and was not asked. Use db.primary() for this statement.`,
    { table: name },
  );
}

function statementKind(statement: Statement): Command['statement'] {
  if (statement.kind === 'single-write') return 'single-write';
  return readingVerbs.has(statement.verb) && !statement.multiple ? 'read' : 'other';
}
