import { demandOfCall } from './calls.ts';
import { type Demand, demand, stronger } from './demand.ts';
import { mainVerbAt } from './main-verb.ts';
import type { Scan } from './scan.ts';
import { demandOfShow } from './show.ts';

/** Verbs of queries. */
const queries: ReadonlySet<string> = new Set(['SELECT', 'VALUES', 'TABLE']);
const explains: ReadonlySet<string> = new Set(['EXPLAIN', 'DESCRIBE', 'DESC']);
const writes: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'LOAD', 'CALL', 'DO']);

/**
 * What one reading of a text asks for, or undefined when it is a pure read: it changes nothing, locks nothing, and any
 * server that holds the data answers it alike. What is not known to be pure is not.
 */
export function demandOf(scanned: Scan): Demand | undefined {
  const { keys } = scanned;
  const at = mainVerbAt(scanned);
  const ofVerb = demandOfVerb(scanned, at);
  const isRead = ofVerb === undefined || ofVerb.scope === 'server';
  const semicolon = keys.indexOf(';');
  const several =
    semicolon === -1 || semicolon === keys.length - 1
      ? undefined
      : demand('primary', 'the text holds more than one statement');
  return stronger(stronger(several, ofVerb), demandOfTokens(scanned, isRead));
}

function demandOfVerb(scanned: Scan, at: number): Demand | undefined {
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
    case 'CREATE':
    case 'DROP':
      return isTemporary(keys, at)
        ? demand('session', `${verb} TEMPORARY TABLE changes what one connection sees`)
        : unknownVerb(verb);
    case '':
      return tokens.length === 0 ? demand('primary', 'the text holds no statement') : unknownVerb('this');
    default:
      return sessionVerbs.has(verb)
        ? demand('session', `${verb} changes the state of one connection`)
        : unknownVerb(verb);
  }
}

/** Verbs whose only effect is on the connection they run on, or that need what another statement left there. */
const sessionVerbs: ReadonlySet<string> = new Set([
  'USE',
  'PREPARE',
  'EXECUTE',
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
  if (isQuery && (key !== 'TABLE' || keys[at] !== 'ANALYZE')) return demandOfVerb(scanned, mainVerbAt(scanned, next));
  if (isQuery || next > at + 1 || keys[at] === 'ANALYZE' || writes.has(key) || key === 'SET') return unknownVerb(key);
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
  return global ? unknownVerb('SET') : demand('session', 'SET changes the state of one connection');
}

function isGlobal(key: string): boolean {
  return key.startsWith('@@GLOBAL.') || key.startsWith('@@PERSIST');
}

function isLiteral({ tokens, keys }: Scan, at: number): boolean {
  const kind = tokens[at]?.kind;
  return kind === 'number' || kind === 'string' || keys[at] === 'DEFAULT';
}

/** What any part of the text asks for: calls, variables, locks, INTO, wherever they are nested. */
function demandOfTokens(scanned: Scan, isRead: boolean): Demand | undefined {
  const { tokens, keys } = scanned;
  const enclosing: string[] = [];
  let found: Demand | undefined;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    let here: Demand | undefined;
    switch (tokens[i]?.kind) {
      case 'word':
        if (keys[i + 1] === '(') here = demandOfCall(scanned, i, enclosing.at(-1) ?? '');
        else if (marked.has(key)) here = demandOfWord(scanned, i, key);
        break;
      case 'operator':
        if (key === '(') enclosing.push(keys[i - 1] ?? '');
        else if (key === ')') enclosing.pop();
        else here = operators.get(key);
        break;
      case 'variable':
        here = demandOfVariable(scanned, i);
        break;
      case 'identifier':
      case 'string':
        if (keys[i + 1] === '(' && isName(scanned, i)) here = demandOfCall(scanned, i, '');
    }
    // In what is no read anyway, only the session still matters: INSERT INTO t (a) is no call.
    if (here !== undefined && (isRead || here.scope === 'session')) {
      found = stronger(found, here);
      if (found?.scope === 'session') break;
    }
  }
  return found;
}

const assigns = demand('session', 'it sets a user variable, which one connection keeps');
const readsVariable = demand('server', 'it reads a user variable, which one connection has');

const operators: ReadonlyMap<string, Demand> = new Map([
  [':=', assigns],
  ['@', readsVariable],
  ['\0', demand('primary', 'a NUL character stands outside of quotes')],
]);

function isName({ sql, tokens }: Scan, at: number): boolean {
  const token = tokens[at];
  return token?.kind !== 'string' || sql.charCodeAt(token.start) === 34; // a name under ANSI_QUOTES
}

/** Reserved words that no harmless query contains, except as columns behind a dot. */
const marked: ReadonlySet<string> = new Set([
  'INTO',
  'FOR',
  'LOCK',
  'UPDATE',
  'DELETE',
  'INSERT',
  'REPLACE',
  'PROCEDURE',
  'SQL_CALC_FOUND_ROWS',
  'NEXT',
  'PREVIOUS',
  'NEXTVAL',
  'CURRVAL',
]);

function demandOfWord(scanned: Scan, at: number, key: string): Demand | undefined {
  const { keys, tokens } = scanned;
  const next = keys[at + 1] ?? '';
  if (key === 'NEXTVAL' || key === 'CURRVAL') {
    return keys[at - 1] === '.' ? demand('primary', 'it takes a number from a sequence') : undefined;
  }
  if (isColumn(scanned, at)) return undefined;
  switch (key) {
    case 'INTO':
      if (tokens[at + 1]?.kind === 'variable') return assigns;
      return demand('primary', 'INTO writes a file or sets a variable');
    case 'FOR':
      return next === 'UPDATE' || next === 'SHARE'
        ? demand('primary', `FOR ${next} locks the rows that it reads`)
        : undefined;
    case 'LOCK':
      return demand('primary', 'LOCK IN SHARE MODE locks the rows that it reads');
    case 'PROCEDURE':
      return next === 'ANALYSE' || keys[0] === 'SHOW' ? undefined : demand('primary', 'PROCEDURE may write');
    case 'SQL_CALC_FOUND_ROWS':
      return demand('session', 'SQL_CALC_FOUND_ROWS counts for a later statement on the same connection');
    case 'NEXT':
    case 'PREVIOUS':
      if (next !== 'VALUE' || keys[at + 2] !== 'FOR') return undefined;
      return key === 'NEXT'
        ? demand('primary', 'NEXT VALUE FOR takes a number from a sequence')
        : demand('session', 'PREVIOUS VALUE FOR is about the statements before on the same connection');
    default:
      return demand('primary', `${key} writes`);
  }
}

/** `t.into`: behind a dot any word is a column. */
function isColumn({ tokens, keys }: Scan, at: number): boolean {
  if (keys[at - 1] !== '.') return false;
  const kind = tokens[at - 2]?.kind;
  return kind === 'word' || kind === 'identifier' || kind === 'string';
}

/** Variables that tell of the statements before on the same connection. */
const sessionVariables: ReadonlySet<string> = new Set([
  'IDENTITY',
  'LAST_INSERT_ID',
  'LAST_GTID',
  'WARNING_COUNT',
  'ERROR_COUNT',
]);

function demandOfVariable(scanned: Scan, at: number): Demand | undefined {
  const { sql, tokens, keys } = scanned;
  const start = tokens[at]?.start ?? 0;
  if (sql.charCodeAt(start + 1) !== 64) {
    if (keys[at + 1] === ':=') return assigns;
    const isAccount = keys[0] === 'SHOW' && tokens[at - 1]?.end === start; // SHOW GRANTS FOR 'a'@'b'
    return isAccount ? undefined : readsVariable;
  }
  const key = keys[at] ?? '';
  const dot = key.indexOf('.');
  const scope = dot === -1 ? '' : key.slice(2, dot);
  const name = key.slice(dot === -1 ? 2 : dot + 1);
  if (sessionVariables.has(name)) {
    return demand('session', `@@${name.toLowerCase()} is about the statements before on the same connection`);
  }
  if (name !== '' && (scope === '' || scope === 'SESSION' || scope === 'LOCAL') && !scopes.has(name)) {
    return undefined;
  }
  return demand('server', 'it reads a variable of the server that is asked');
}

/** `@@global .x` may be written with spaces. */
const scopes: ReadonlySet<string> = new Set(['GLOBAL', 'SESSION', 'LOCAL']);
