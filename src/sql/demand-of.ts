import { demandOfCall, isOfSession } from './calls.ts';
import { type Demand, demand, stronger } from './demand.ts';
import { mainVerbAt } from './main-verb.ts';
import type { Scan } from './scan.ts';
import { assigns, demandOfVariable, readsVariable } from './variables.ts';
import { demandOfVerb } from './verbs.ts';

/**
 * What one reading of a text asks for, or undefined when it is a pure read: it changes nothing, locks nothing, and any
 * server that holds the data answers it alike. What is not known to be pure is not.
 */
export function demandOf(scanned: Scan): Demand | undefined {
  const { keys } = scanned;
  const at = mainVerbAt(scanned);
  const ofVerb = demandOfVerb(scanned, at);
  const isRead = ofVerb === undefined || ofVerb.scope === 'server';
  const several = hasSeveral(keys) ? demand('primary', 'the text holds more than one statement') : undefined;
  return stronger(stronger(several, ofVerb), demandOfTokens(scanned, isRead));
}

/** Something follows a semicolon. */
function hasSeveral(keys: readonly string[]): boolean {
  let end = keys.length;
  while (keys[end - 1] === ';') end--;
  const semicolon = keys.indexOf(';');
  return semicolon !== -1 && semicolon < end;
}

/** False for what no server runs, since a statement begins with a word: another reading of a text may be such. */
export function canRun({ keys, tokens }: Scan): boolean {
  return tokens[0]?.kind === 'word' || keys[0] === '(' || keys.includes(';');
}

/** What any part of the text asks for: calls, variables, locks, INTO, wherever they are nested. */
function demandOfTokens(scanned: Scan, isRead: boolean): Demand | undefined {
  const { tokens, keys } = scanned;
  const enclosing: string[] = [];
  let found: Demand | undefined;
  let isSettled = !isRead; // what only asks for the primary is of no more interest
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    let here: Demand | undefined;
    switch (tokens[i]?.kind) {
      case 'word':
        if (keys[i + 1] === '(') {
          if (!isSettled || isOfSession(key)) here = demandOfCall(scanned, i, enclosing.at(-1) ?? '');
        } else if (marked.has(key)) here = demandOfWord(scanned, i, key);
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
        if (!isSettled && keys[i + 1] === '(' && isName(scanned, i)) here = demandOfCall(scanned, i, '');
    }
    if (here === undefined || (!isRead && !mattersToWrite(scanned, i, here))) continue;
    found = stronger(found, here);
    if (found?.scope === 'session-change') break;
    isSettled ||= found?.scope !== 'server';
  }
  return found;
}

/**
 * In what is no read anyway, only the session still matters: `INSERT INTO t (a)` is no call. `LAST_INSERT_ID(a + 1)` in an
 * UPDATE gives its number with the answer.
 */
function mattersToWrite({ keys }: Scan, at: number, { scope }: Demand): boolean {
  if (keys[at] === 'LAST_INSERT_ID' && keys[at + 2] !== ')') return false;
  return scope === 'session' || scope === 'session-change';
}

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
