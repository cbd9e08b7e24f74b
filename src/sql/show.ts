import { type Demand, demand } from './demand.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Words between SHOW and what is shown. */
const options = words('FULL EXTENDED GLOBAL SESSION LOCAL STORAGE');

/** What every server of a cluster shows alike. */
const definitions = words(
  'TABLES TABLE COLUMNS FIELDS INDEX INDEXES KEYS DATABASES SCHEMAS CREATE TRIGGERS EVENTS CHARACTER CHARSET COLLATION ' +
    'PRIVILEGES PROCEDURE FUNCTION PACKAGE LIBRARY ENGINES PLUGINS GRANTS AUTHORS CONTRIBUTORS OPEN',
);

/** What belongs to the server that is asked. */
const ownState = words(
  'STATUS VARIABLES PROCESSLIST ENGINE REPLICA REPLICAS SLAVE ALL RELAYLOG MASTER BINARY BINLOG EXPLAIN ANALYZE ' +
    'LOCALES CLIENT_STATISTICS USER_STATISTICS INDEX_STATISTICS TABLE_STATISTICS',
);

const primaryLogs = words('MASTER BINARY BINLOG');
const sessionState = words('WARNINGS ERRORS PROFILE PROFILES COUNT');

/** What a SHOW asks for, given its keys from SHOW on. */
export function demandOfShow(keys: readonly string[], from: number): Demand | undefined {
  let at = from + 1;
  while (options.has(keys[at] ?? '')) at++;
  const what = keys[at] ?? '';
  if (definitions.has(what)) return undefined;
  if (sessionState.has(what)) {
    return demand('session', `SHOW ${what} is about the statements before on the same connection`);
  }
  if (primaryLogs.has(what)) return demand('primary', `SHOW ${what} is about the server that writes`);
  if (ownState.has(what)) return demand('server', `SHOW ${what} is about the server that is asked`);
  return demand('primary', `SHOW ${what} is not known to be a read`);
}
