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
 * that is neither a read nor one write may have changed the session, unless it sets the time zone that the session has.
 */
export function traceOf(statement: Statement, timezone: string): Trace {
  const { demand, kind, multiple, transactionControl, text } = statement;
  if (multiple || demand?.scope === 'session-change') return setsTimezone(text, timezone) ? 'none' : 'state';
  if (transactional.has(transactionControl)) return 'none';
  const isRead = demand === undefined || demand.scope === 'server' || demand.scope === 'session';
  return isRead || kind === 'single-write' ? 'readable' : 'state';
}

/** Whether a statement asks for what an earlier one has left on its connection. */
export function readsState({ demand }: Statement): boolean {
  return demand?.scope === 'session' || demand?.scope === 'session-change';
}

/** `SET time_zone` to what every session of the cluster has, as Sequelize does on each of its connections. */
export function setsTimezone(text: string, timezone: string): boolean {
  const [, given] = /^SET time_zone = '([+-]\d\d:\d\d)'$/.exec(text) ?? [];
  return given === timezone;
}
