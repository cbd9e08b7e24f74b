import { type Demand, demand } from './demand.ts';
import {
  gluedFunctions,
  lockFunctions,
  openers,
  primaryFunctions,
  pureFunctions,
  serverFunctions,
  sessionFunctions,
  windowFunctions,
} from './known-functions.ts';
import { nameOf, type Scan } from './scan.ts';

/** What the word or name at an index asks for, given that a bracket follows it. */
export function demandOfCall(scanned: Scan, at: number, enclosing: string): Demand | undefined {
  const { keys, tokens } = scanned;
  const key = keys[at] ?? '';
  const plain = tokens[at]?.kind === 'word' && keys[at - 1] !== '.';
  if (!plain) return isColumnList(scanned, at) ? undefined : unknown(scanned, at);
  if (pureFunctions.has(key)) return isStored(scanned, at, key) ? unknown(scanned, at) : undefined;
  if (openers.has(key)) return undefined;
  if (serverFunctions.has(key)) return demand('server', serverReasons[key] ?? '');
  if (sessionFunctions.has(key))
    return demand('session', `${key}() is about the statements before on the same connection`);
  if (lockFunctions.has(key))
    return demand('session-change', `${key}() takes or gives back a lock of one connection`);
  if (primaryFunctions.has(key))
    return demand('primary', `${key}() is answered rightly by the primary alone`);
  if (isClause(keys, at, enclosing) || isColumnList(scanned, at)) return undefined;
  return unknown(scanned, at);
}

const serverReasons: Readonly<Record<string, string>> = {
  SLEEP: 'SLEEP() spends time on purpose',
  BENCHMARK: 'BENCHMARK() spends time on purpose',
  LOAD_FILE: 'LOAD_FILE() reads a file of the server that is asked',
};

/** Whether a call can ask for more than `primary`: it has to do with the session. */
export function isOfSession(key: string): boolean {
  return sessionFunctions.has(key) || lockFunctions.has(key);
}

function unknown(scanned: Scan, at: number): Demand {
  return demand(
    'primary',
    `${nameOf(scanned, at)}() is not a function that is known to be built in, and may write`,
  );
}

/** Whether white space makes the name that of a stored function, unless the server ignores it (`IGNORE_SPACE`). */
function isStored({ keys, tokens }: Scan, at: number, key: string): boolean {
  if (tokens[at]?.end === tokens[at + 1]?.start) return false;
  if (windowFunctions.has(key)) return !isWindowed(keys, at);
  if (!gluedFunctions.has(key)) return false;
  const first = keys[at + 2];
  return first !== '*' && first !== 'DISTINCT'; // neither can be said to a stored function
}

/** `RANK () OVER`, with nothing nested in its brackets. */
function isWindowed(keys: readonly string[], at: number): boolean {
  const closing = flatClosing(keys, at + 1);
  return closing !== -1 && windowClauses.has(keys[closing + 1] ?? '');
}

const windowClauses: ReadonlySet<string> = new Set(['OVER', 'WITHIN', 'RESPECT', 'IGNORE']);

/** Words that are no call in their place, though elsewhere a function may have their name. */
function isClause(keys: readonly string[], at: number, enclosing: string): boolean {
  const previous = keys[at - 1] ?? '';
  const next = keys[at + 2] ?? '';
  switch (keys[at]) {
    case 'ANY':
    case 'SOME':
    case 'LATERAL':
      return next === '(' || queries.has(next);
    case 'OF':
      return previous === 'MEMBER' || (previous === 'AS' && keys[at - 2] === 'SYSTEM_TIME');
    case 'TRANSACTION':
      return previous === 'OF';
    case 'COLUMNS':
      return enclosing === 'JSON_TABLE' || enclosing === 'COLUMNS';
    case 'ROLLUP':
    case 'CUBE':
      return previous === 'BY' && keys[at - 2] === 'GROUP';
    case 'SYSTEM':
    case 'BERNOULLI':
      return previous === 'TABLESAMPLE';
    case 'SQL_NO_CACHE':
    case 'SQL_CACHE':
    case 'SQL_BUFFER_RESULT':
      return previous === 'SELECT' || previous.startsWith('SQL_') || previous.startsWith('DISTINCT');
    case 'AGAINST':
      return keys.slice(Math.max(0, at - 40), at).includes('MATCH'); // MATCH a, b AGAINST (…)
    case 'EXPLAIN':
    case 'DESCRIBE':
    case 'DESC':
      return at === 0;
    case 'ANALYSE':
      return previous === 'PROCEDURE';
    default:
      return isType(previous, enclosing);
  }
}

const queries: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE']);

/** `CONVERT(a, DATETIME(3))`, `COLUMNS (a TEXT(9) PATH …)`, `JSON_VALUE(… RETURNING DATETIME(3))`; CAST has an AS. */
function isType(previous: string, enclosing: string): boolean {
  if (enclosing === 'CONVERT') return previous === ',';
  if (enclosing === 'COLUMNS') return previous !== ',' && previous !== '(';
  return previous === 'RETURNING' && enclosing === 'JSON_VALUE';
}

/** `AS d (a, b)`, `(…) d (a, b)`, `WITH c (a, b) AS (…)`: after AS or a bracket no call can stand. */
function isColumnList({ keys }: Scan, at: number): boolean {
  const previous = keys[at - 1];
  if (previous === 'AS' || previous === ')') return true;
  const follows = previous === ',' && (keys[at - 2] === ')' || keys[at - 2] === 'RESTRICT');
  if (previous !== 'WITH' && previous !== 'RECURSIVE' && !follows) return false;
  const closing = flatClosing(keys, at + 1);
  return closing !== -1 && keys[closing + 1] === 'AS' && keys[closing + 2] === '(';
}

/** Where the bracket at an index closes when none opens inside it, or -1. */
function flatClosing(keys: readonly string[], open: number): number {
  for (let i = open + 1; i < keys.length; i++) {
    const key = keys[i];
    if (key === ')') return i;
    if (key === '(') return -1;
  }
  return -1;
}
