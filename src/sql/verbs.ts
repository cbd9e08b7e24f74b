import { type Demand, demand } from './demand.ts';
import { mainVerbAt } from './main-verb.ts';
import type { Scan } from './scan.ts';
import { demandOfShow } from './show.ts';

/** Verbs of queries. */
const queries: ReadonlySet<string> = new Set(['SELECT', 'VALUES', 'TABLE']);
const explains: ReadonlySet<string> = new Set(['EXPLAIN', 'DESCRIBE', 'DESC']);
const writes: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'LOAD', 'CALL', 'DO']);

/** What the verb at an index asks for, whatever the rest of its statement contains. */
export function demandOfVerb(scanned: Scan, at: number): Demand | undefined {
  const { keys, tokens } = scanned;
  const verb = keys[at] ?? '';
  if (queries.has(verb)) return undefined;
  switch (verb) {
    case 'SHOW':
      return demandOfShow(keys, at);
    case 'EXPLAIN':
    case 'DESCRIBE':
    case 'DESC':
    case 'ANALYZE':
      return demandOfExplain(scanned, at);
    case 'HELP':
      return undefined;
    case 'CHECKSUM':
      return keys[at + 1] === 'TABLE' || keys[at + 1] === 'TABLES' ? undefined : unknownVerb(verb);
    case 'SET':
      return demandOfSet(scanned, at);
    case 'EXECUTE':
      return keys[at + 1] === 'IMMEDIATE' ? unknownVerb(verb) : changesSession(verb);
    case 'CREATE':
    case 'DROP':
      return isTemporary(keys, at)
        ? demand('session-change', `${verb} TEMPORARY TABLE changes what one connection sees`)
        : unknownVerb(verb);
    case '':
      return tokens.length === 0 ? demand('primary', 'the text holds no statement') : unknownVerb('this');
    default:
      return sessionVerbs.has(verb) ? changesSession(verb) : unknownVerb(verb);
  }
}

function changesSession(verb: string): Demand {
  return demand('session-change', `${verb} changes the state of one connection`);
}

/** Verbs whose only effect is on the connection they run on, or that need what another statement left there. */
const sessionVerbs: ReadonlySet<string> = new Set([
  'USE',
  'PREPARE',
  'DEALLOCATE',
  'HANDLER',
  'GET',
  'LOCK',
  'UNLOCK',
]);

function unknownVerb(verb: string): Demand {
  return demand('primary', writes.has(verb) ? `${verb} may write` : `${verb} is not known to be a read`);
}

function isTemporary(keys: readonly string[], at: number): boolean {
  return keys[keys[at + 1] === 'OR' ? at + 3 : at + 1] === 'TEMPORARY';
}

/** EXPLAIN is as pure as what it explains, since servers refuse it where they refuse that; ANALYZE runs it. */
function demandOfExplain(scanned: Scan, at: number): Demand | undefined {
  const { keys } = scanned;
  let next = at + 1;
  for (;;) {
    const key = keys[next];
    if (key === 'FORMAT' && keys[next + 1] === '=') next += 3;
    else if (key === 'ANALYZE' || key === 'EXTENDED' || key === 'PARTITIONS') next++;
    else if (key === 'FOR' && (keys[next + 1] === 'SCHEMA' || keys[next + 1] === 'DATABASE')) next += 3;
    else break;
  }
  const key = keys[next] ?? '';
  if (key === 'FOR') return demand('server', 'EXPLAIN FOR CONNECTION is about the server that is asked');
  const isQuery = key === '(' || key === 'WITH' || queries.has(key);
  if (isQuery && (key !== 'TABLE' || keys[at] !== 'ANALYZE')) {
    const verb = keys[mainVerbAt(scanned, next)] ?? '';
    return queries.has(verb) ? undefined : unknownVerb(verb);
  }
  if (isQuery || next > at + 1 || keys[at] === 'ANALYZE' || writes.has(key) || key === 'SET')
    return unknownVerb(key);
  return explains.has(keys[at] ?? '') && !keys.includes('(') ? undefined : unknownVerb(key);
}

/** Settings that MariaDB's SET STATEMENT may make for a read without any harm. */
const harmlessSettings: ReadonlySet<string> = new Set([
  'MAX_STATEMENT_TIME',
  'OPTIMIZER_SWITCH',
  'JOIN_CACHE_LEVEL',
  'JOIN_BUFFER_SIZE',
  'SORT_BUFFER_SIZE',
  'TMP_TABLE_SIZE',
  'MAX_HEAP_TABLE_SIZE',
  'READ_BUFFER_SIZE',
  'GROUP_CONCAT_MAX_LEN',
  'SQL_SELECT_LIMIT',
]);

function demandOfSet(scanned: Scan, at: number): Demand | undefined {
  const { keys, tokens } = scanned;
  const scope = keys[at + 1] ?? '';
  if (scope === 'STATEMENT') {
    let next = at + 2;
    while (harmlessSettings.has(keys[next] ?? '') && keys[next + 1] === '=' && isLiteral(scanned, next + 2)) {
      next += 3;
      if (keys[next] !== ',') break;
      next++;
    }
    const verb = keys[next] === 'FOR' ? mainVerbAt(scanned, next + 1) : tokens.length;
    return queries.has(keys[verb] ?? '') ? undefined : unknownVerb('SET STATEMENT');
  }
  const global =
    scope === 'PASSWORD' ||
    scope === 'DEFAULT' ||
    ((scope === 'GLOBAL' || scope.startsWith('PERSIST') || isGlobal(scope)) && !keys.includes(','));
  return global ? unknownVerb('SET') : changesSession('SET');
}

function isGlobal(key: string): boolean {
  return key.startsWith('@@GLOBAL.') || key.startsWith('@@PERSIST');
}

function isLiteral({ tokens, keys }: Scan, at: number): boolean {
  const kind = tokens[at]?.kind;
  return kind === 'number' || kind === 'string' || keys[at] === 'DEFAULT';
}
