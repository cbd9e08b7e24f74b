import { BoundedCache } from './bounded-cache.ts';
import type { Demand } from './demand.ts';
import { tokenize } from './lexer.ts';
import { mainVerbAt } from './main-verb.ts';
import { demandOfText } from './readings.ts';
import { type Scan, scanOf } from './scan.ts';
import { type TableRef, tablesOf } from './tables.ts';
import { type Placeholders, splitTemplate, type Template } from './template.ts';
import {
  commitsImplicitly,
  type TransactionControl,
  transactionControlOf,
  withoutSetStatement,
} from './transaction-control.ts';

/** `single-write`: exactly one INSERT, UPDATE, DELETE or REPLACE, and nothing else that could run. */
export type StatementKind = 'single-write' | 'other';

/** What is known of an SQL text without asking a server; frozen. */
export interface Statement {
  readonly text: string;
  /** The first keyword in upper case, of the main statement after WITH; '' when there is none. */
  readonly verb: string;
  readonly kind: StatementKind;
  /** Set when any statement of the text controls transactions. */
  readonly transactionControl: TransactionControl | undefined;
  /** True when any statement of the text may commit a running transaction by itself. */
  readonly implicitCommit: boolean;
  /** True for more than one statement; the body of a routine or a compound statement counts as one. */
  readonly multiple: boolean;
  readonly tables: readonly TableRef[];
  /** Why it is no pure read; undefined when it is proved to be one. */
  readonly demand: Demand | undefined;
  readonly placeholders: Placeholders;
  readonly template: Template;
}

const writes = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE']);
const compounds = new Set(['IF', 'CASE', 'LOOP', 'WHILE', 'REPEAT', 'FOR']);
const routines = new Set(['PROCEDURE', 'FUNCTION', 'TRIGGER', 'EVENT', 'PACKAGE']);

// Texts differ endlessly where values are written into them: those long enough to be bulk inserts are not kept.
const cache = new BoundedCache<Statement>(500);
const MAX_CACHED_LENGTH = 10_000;

/** Reads an SQL text, from a bounded cache when it was seen lately. Never throws. */
export function analyze(sql: string): Statement {
  const known = cache.get(sql);
  if (known !== undefined) return known;
  const statement = read(sql);
  if (sql.length <= MAX_CACHED_LENGTH) cache.set(sql, statement);
  return statement;
}

function read(sql: string): Statement {
  const tokens = tokenize(sql);
  const scanned = scanOf(sql, tokens);
  const compound = isCompound(scanned);
  const statements = compound ? [scanned.keys] : statementsOf(scanned);
  const multiple = statements.length > 1;
  const verb = scanned.keys[mainVerbAt(scanned)] ?? '';
  let transactionControl: TransactionControl | undefined;
  let implicitCommit = compound;
  for (const keys of statements) {
    const inner = withoutSetStatement(keys);
    if (!compound) transactionControl ??= transactionControlOf(inner);
    implicitCommit ||= commitsImplicitly(inner);
  }
  const { template, placeholders } = splitTemplate(scanned);
  const single = !multiple && !compound && !scanned.executable && writes.has(verb);
  return Object.freeze({
    text: sql,
    verb,
    kind: single ? 'single-write' : 'other',
    transactionControl,
    implicitCommit,
    multiple,
    tables: tablesOf(scanned),
    demand: Object.freeze(demandOfText(sql, tokens, scanned)),
    placeholders,
    template,
  });
}

/** The keys of each statement between semicolons, without leading brackets. */
function statementsOf({ keys }: Scan): (readonly string[])[] {
  const statements: (readonly string[])[] = [];
  let at = 0;
  while (at < keys.length) {
    const from = skip(keys, at, ';', '(');
    const semicolon = keys.indexOf(';', from);
    const to = semicolon === -1 ? keys.length : semicolon;
    if (to > from) statements.push(keys.slice(from, to));
    at = to + 1;
  }
  return statements;
}

/** True for a text whose semicolons are its own: the body of a routine, or a compound statement of MariaDB. */
function isCompound({ keys }: Scan): boolean {
  const [first = '', second = ''] = keys;
  if (first === 'BEGIN') return keys.length > 1 && second !== 'WORK' && second !== ';';
  if (compounds.has(first) || (second === ':' && first !== '')) return true;
  if (first !== 'CREATE' && first !== 'ALTER') return false;
  const body = keys.indexOf('BEGIN');
  return body !== -1 && keys.slice(0, body).some((key) => routines.has(key));
}

function skip(keys: readonly string[], from: number, ...ignored: string[]): number {
  let at = from;
  while (ignored.includes(keys[at] ?? '')) at++;
  return at;
}
