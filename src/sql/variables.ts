import { type Demand, demand } from './demand.ts';
import { nameOf, type Scan } from './scan.ts';

export const assigns = demand('session-change', 'it sets a user variable, which one connection keeps');
export const readsVariable = demand('server', 'it reads a user variable, which one connection has');

/** Variables that tell of the statements before on the same connection. */
const sessionVariables: ReadonlySet<string> = new Set([
  'IDENTITY',
  'LAST_INSERT_ID',
  'LAST_GTID',
  'WARNING_COUNT',
  'ERROR_COUNT',
]);

/** Variables that differ from server to server by their nature, though nothing in the text says `GLOBAL`. */
const serverVariables: ReadonlySet<string> = new Set([
  'DATADIR',
  'GTID_BINLOG_POS',
  'GTID_BINLOG_STATE',
  'GTID_CURRENT_POS',
  'GTID_EXECUTED',
  'GTID_PURGED',
  'GTID_SLAVE_POS',
  'HOSTNAME',
  'PORT',
  'READ_ONLY',
  'REPORT_HOST',
  'REPORT_PORT',
  'SERVER_ID',
  'SERVER_UUID',
  'SUPER_READ_ONLY',
]);

/** What the user or system variable at an index asks for. */
export function demandOfVariable(scanned: Scan, at: number): Demand | undefined {
  const { sql, tokens, keys } = scanned;
  const start = tokens[at]?.start ?? 0;
  if (sql.charCodeAt(start + 1) !== 64) {
    if (keys[at + 1] === ':=') return assigns;
    const isAccount = keys[0] === 'SHOW' && tokens[at - 1]?.end === start; // SHOW GRANTS FOR 'a'@'b'
    return isAccount ? undefined : readsVariable;
  }
  const [scope, name] = systemVariable(scanned, at);
  if (sessionVariables.has(name)) {
    return demand('session', `@@${name.toLowerCase()} is about the statements before on the same connection`);
  }
  const isOfSession = scope === '' || scope === 'SESSION' || scope === 'LOCAL';
  if (name !== '' && isOfSession && !serverVariables.has(name)) return undefined;
  return demand('server', 'it reads a variable of the server that is asked');
}

/** The scope and the name, also of `` @@`x` `` and `@@session . x`, which are several tokens. */
function systemVariable(scanned: Scan, at: number): readonly [scope: string, name: string] {
  const { keys, tokens } = scanned;
  const key = keys[at] ?? '';
  const [first = '', ...rest] = key.slice(2).split('.');
  if (rest.length > 0) return [first, rest.join('.')];
  if (key === '@@' && tokens[at + 1]?.kind === 'identifier' && keys[at + 2] !== '.') {
    return ['', nameOf(scanned, at + 1).toUpperCase()];
  }
  return keys[at + 1] === '.' ? [first, keys[at + 2] ?? ''] : ['', first];
}
