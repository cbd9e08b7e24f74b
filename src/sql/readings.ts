import { type Demand, demand, stronger } from './demand.ts';
import { canRun, demandOf } from './demand-of.ts';
import { endsOpen, type Quoting, type Token, tokenize } from './lexer.ts';
import { type Scan, scanOf } from './scan.ts';

/** Every way in which a server may read a text, or why that cannot be told. */
type Readings = { readonly scans: readonly Scan[] } | { readonly unclear: string };

/** Besides the default: under NO_BACKSLASH_ESCAPES, and under ANSI_QUOTES. */
const otherQuotings: readonly Quoting[] = [
  { single: false, double: false },
  { single: true, double: false },
];

/** More versions of executable comments in one text than this are not worth their readings, which double with each. */
const MAX_GATES = 3;

/** What a text asks for in the reading that asks for most, or undefined when it is a pure read in all of them. */
export function demandOfText(sql: string, tokens: readonly Token[], scanned: Scan): Demand | undefined {
  const readings = readingsOf(sql, tokens, scanned);
  if ('unclear' in readings) return stronger(demand('primary', readings.unclear), demandOf(scanned));
  let found: Demand | undefined;
  for (const reading of readings.scans) {
    if (reading === scanned || canRun(reading)) found = stronger(found, demandOf(reading));
  }
  return found;
}

/**
 * Reads a text as each server may: with and without what stands in its executable comments, by their versions, and with
 * the backslash as an escape or not. Linear in the text; most texts have one reading.
 */
function readingsOf(sql: string, tokens: readonly Token[], scanned: Scan): Readings {
  if (endsOpen(sql, tokens.at(-1))) return { unclear: 'a quote or a comment is not closed' };
  const odd = tokens.find((token) => token.kind === 'comment' && isOddComment(sql, token));
  if (odd !== undefined) return { unclear: 'servers may differ on where a comment ends' };
  const scans = variants(sql, tokens, scanned);
  if (scans === undefined) return { unclear: unclearComment };
  if (!sql.includes('\\')) return { scans };
  for (const quoting of otherQuotings) {
    const others = tokenize(sql, quoting);
    if (isSame(tokens, others)) continue;
    const read = variants(sql, others, scanOf(sql, others));
    if (read === undefined) return { unclear: unclearComment };
    // A server that finds an open quote refuses the whole text.
    if (!endsOpen(sql, others.at(-1), quoting) || read.some(({ keys }) => keys.includes(';')))
      scans.push(...read);
  }
  return { scans };
}

const unclearComment = 'servers may differ on what in its executable comments they run';

function isSame(one: readonly Token[], other: readonly Token[]): boolean {
  return one.length === other.length && one.every(({ end }, i) => other[i]?.end === end);
}

/** The code with each set of executable comments that a server of some version may leave out. */
function variants(sql: string, tokens: readonly Token[], scanned: Scan): Scan[] | undefined {
  if (!scanned.executable) return [scanned];
  const gates = gatesOf(sql, tokens);
  if (gates === undefined || gates.length > MAX_GATES) return undefined;
  const scans = [scanned];
  for (let left = 1; left < 2 ** gates.length; left++) {
    const dropped = new Set(gates.filter((_, i) => (left & (1 << i)) !== 0));
    scans.push(scanOf(sql, without(sql, tokens, dropped)));
  }
  return scans;
}

/** The distinct openings (`/*!50100`), or undefined where a comment ends in another place once it is left out. */
function gatesOf(sql: string, tokens: readonly Token[]): string[] | undefined {
  const gates = new Set<string>();
  let open = false;
  for (const { kind, start, end, executable } of tokens) {
    if (kind === 'executable-open') {
      if (open || isFused(sql, start, end)) return undefined;
      open = true;
      gates.add(sql.slice(start, end));
    } else if (kind === 'executable-close') open = false;
    else if (executable) {
      if (kind === 'comment' || sql.slice(start, end).includes('*/')) return undefined;
    }
  }
  return [...gates];
}

/** A version of six digits right before a name: MySQL 5.7 reads five, and the sixth begins the name. */
function isFused(sql: string, start: number, end: number): boolean {
  const next = sql.charCodeAt(end);
  return end - start >= 9 && (next === 95 || next === 36 || next > 127 || isAlphanumeric(next));
}

function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122);
}

function without(sql: string, tokens: readonly Token[], dropped: ReadonlySet<string>): Token[] {
  let skips = false;
  return tokens.filter(({ kind, start, end }) => {
    if (kind === 'executable-open') skips = dropped.has(sql.slice(start, end));
    if (!skips) return true;
    if (kind === 'executable-close') skips = false;
    return false;
  });
}

/**
 * A NUL ends the line comments of MySQL, and a quote in an optimizer hint may reach beyond the end of its comment.
 */
function isOddComment(sql: string, { start, end }: Token): boolean {
  let quote = '';
  let quotes = 0;
  const hint = sql.startsWith('/*+', start);
  for (let i = start; i < end; i++) {
    const character = sql.charAt(i);
    if (character === '\0') return true;
    if (!hint) continue;
    if (character === '\\') return true;
    if (character !== "'" && character !== '"' && character !== '`') continue;
    if (quote !== '' && quote !== character) return true;
    quote = character;
    quotes++;
  }
  return quotes % 2 === 1;
}
