import type { Statement } from '../../sql/statement.ts';
import type { Trace } from './primary-line.ts';

/** What only divides a transaction, which its connection knows of by itself. */
const transactional: ReadonlySet<Statement['transactionControl']> = new Set([
  'begin',
  'commit',
  'rollback',
  'savepoint',
  'rollback-to-savepoint',
  'release-savepoint',
]);

/**
 * What a statement leaves on its connection. Rows that were found or written can be asked for (`LAST_INSERT_ID()`); all
 * that is neither a read nor one write may have changed the session.
 */
export function traceOf(statement: Statement): Trace {
  const { demand, kind, multiple, transactionControl } = statement;
  if (multiple) return 'state';
  if (transactional.has(transactionControl)) return 'none';
  if (demand?.scope === 'session-change') return 'state';
  const isRead = demand === undefined || demand.scope === 'server' || demand.scope === 'session';
  return isRead || kind === 'single-write' ? 'readable' : 'state';
}

/** Whether a statement asks for what an earlier one has left on its connection. */
export function readsState({ demand }: Statement): boolean {
  return demand?.scope === 'session' || demand?.scope === 'session-change';
}
