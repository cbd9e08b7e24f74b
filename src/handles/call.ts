import type { CallOptions } from '../config/call-options.ts';
import { ImplicitCommitError, ReplicaReadOnlyError, SessionStateError } from '../errors/errors.ts';
import type { Command } from '../pool/command.ts';
import type { Operation } from '../resilience/outcome.ts';
import { bindPrepared, bindText, toBindable } from '../sql/bind.ts';
import type { SqlFragment } from '../sql/fragment.ts';
import type { Statement } from '../sql/statement.ts';
import type { SqlParams } from '../sql/value.ts';
import { type PrimaryOnly, primaryRequired } from './primary-only.ts';

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
  const json = options?.json;
  const kind = statementKind(statement);
  // Written out: this is done for every statement, and spreading takes longer than the rest of it.
  if (options?.prepare === true) {
    const { text, values: bound } = bindPrepared(statement, values, timezone);
    const command = {
      text,
      values: bound,
      statement: kind,
      phase: 'statement',
      json,
      escapesText: false,
    } as const;
    return { statement, command };
  }
  const { text, hasStringOrBuffer: escapesText } = bindText(statement, values, timezone);
  return { statement, command: { text, statement: kind, phase: 'statement', json, escapesText } };
}

/** A call whose values somebody else has written into the text, or bound. */
export function writtenCall(
  statement: Statement,
  written: Pick<Command, 'text' | 'values' | 'escapesText' | 'driver'>,
): Call {
  const { text, values, escapesText, driver } = written;
  const phase = statement.transactionControl === 'commit' ? 'commit' : 'statement';
  return {
    statement,
    command: { text, values, statement: statementKind(statement), escapesText, phase, driver },
  };
}

/** Whether the session has to be reset before another caller gets its connection. */
export function changesSession({ demand }: Statement): boolean {
  return demand?.scope === 'session-change';
}

/** What the outcome table takes the statement for, on the primary. */
export function operationOf({ statement }: Call): Operation {
  if (statement.kind === 'single-write') return 'single-write';
  return statement.demand === undefined ? 'read' : 'other';
}

/** Refuses what reads or changes the state of a connection, on a handle that takes another one for each statement. */
export function refuseSessionState({ demand }: Statement): void {
  if (demand?.scope !== 'session' && demand?.scope !== 'session-change') return;
  throw new SessionStateError(
    `A handle takes another connection for each statement, but ${demand.reason}. The statement was not sent. ` +
      'Use db.primary().connection(…) for a session of your own, or db.transaction(…).',
  );
}

/** Refuses on a replica what is no pure read, but for questions about the server that is asked. */
export function refuseUnlessRead({ demand, multiple }: Statement): void {
  if (demand === undefined || demand.scope === 'server') return;
  const next = multiple ? 'Send them one by one.' : 'Use db.primary() for it, or db.transaction().';
  throw new ReplicaReadOnlyError(
    `A replica handle takes pure reads only, but ${demand.reason}. The statement was not sent. ${next}`,
  );
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

/** Where `db.auto()` sends a statement; `'unknown'` while the names in it have to be looked up. */
export function routeOf(
  { demand, tables }: Statement,
  primaryOnly: Pick<PrimaryOnly, 'find'>,
): 'primary' | 'replica' | 'unknown' {
  if (demand !== undefined) return 'primary';
  const found = primaryOnly.find(tables);
  if (found === 'unknown') return 'unknown';
  return found === undefined ? 'replica' : 'primary';
}

/** Refuses a replica read of a table that is known to be read on the primary only. Returns whether one is unknown. */
export function refusePrimaryOnly({ tables }: Statement, primaryOnly: Pick<PrimaryOnly, 'find'>): boolean {
  const found = primaryOnly.find(tables);
  if (found === undefined || found === 'unknown') return found === 'unknown';
  throw primaryRequired(found);
}

function statementKind(statement: Statement): Command['statement'] {
  if (statement.kind === 'single-write') return 'single-write';
  const reads = statement.demand === undefined || readingVerbs.has(statement.verb);
  return reads && !statement.multiple ? 'read' : 'other';
}
