import { classOf, codeAt, DIGIT, isDigit, isName, isNameStart, LETTER, SINGLE, SPACE } from './characters.ts';
import { endOfDigits, endOfFraction, endOfName, endOfNumber } from './word-ends.ts';

/**
 * What a token is.
 *
 * `executable-open` and `executable-close` are the brackets of an executable comment (`/*!50100` or `/*M!` up to the
 * closing bracket); what stands between them is code and is split into tokens like any other.
 */
export type TokenKind =
  | 'word'
  | 'identifier'
  | 'string'
  | 'number'
  | 'variable'
  | 'operator'
  | 'positional'
  | 'named'
  | 'comment'
  | 'executable-open'
  | 'executable-close';

/** A piece of an SQL text, from `start` up to but without `end`, in UTF-16 units. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** True in an executable comment, its brackets included: only some servers run it. */
  readonly executable: boolean;
}

/** Between which quotes a backslash escapes; the server's `sql_mode` decides. */
export interface Quoting {
  /** False under `NO_BACKSLASH_ESCAPES`. */
  readonly single: boolean;
  /** False under `NO_BACKSLASH_ESCAPES`, and under `ANSI_QUOTES`, where a double quote begins a name. */
  readonly double: boolean;
}

/** As servers read quotes by default. */
const escaping: Quoting = Object.freeze({ single: true, double: true });

/**
 * Splits MySQL or MariaDB text into tokens, in order and without overlap; between them stands only white space.
 *
 * Linear in the length of the text and never throws: an unterminated quote or comment reaches to the end. Unless told
 * otherwise, quotes are read as by a server without `NO_BACKSLASH_ESCAPES` and `ANSI_QUOTES`. `??` is two positional
 * placeholders; `::`, `:=` and a colon right after a name (`label:LOOP`) start no named placeholder.
 */
export function tokenize(sql: string, quoting: Quoting = escaping): Token[] {
  const tokens: Token[] = [];
  const { length } = sql;
  let executable = false;
  let nameEnd = -1; // where the last name ended: after `db.` the text `2fa` is a name
  let at = 0;

  while (at < length) {
    const code = sql.charCodeAt(at);
    const characterClass = classOf(code);
    if (characterClass === SPACE) {
      at++;
      continue;
    }
    const start = at;
    let kind: TokenKind = 'operator';
    if (characterClass === LETTER) {
      kind = 'word';
      nameEnd = at = endOfName(sql, at + 1);
    } else if (characterClass === SINGLE) at++;
    else if (characterClass === DIGIT) {
      const afterDot = nameEnd === at - 1 && codeAt(sql, at - 1) === 46;
      const end = afterDot ? -1 : endOfNumber(sql, at);
      kind = end === -1 ? 'word' : 'number';
      at = end === -1 ? endOfName(sql, at) : end;
      if (kind === 'word') nameEnd = at;
    } else {
      const next = codeAt(sql, at + 1);
      switch (code) {
        case 39:
        case 34:
          kind = 'string';
          at = endOfQuoted(sql, at, quoting);
          break;
        case 96:
          kind = 'identifier';
          nameEnd = at = endOfQuoted(sql, at, quoting);
          break;
        case 46:
          if (isDigit(next) && nameEnd !== at) {
            kind = 'number';
            at = endOfFraction(sql, at);
          } else at++;
          break;
        case 63:
          kind = 'positional';
          at++;
          break;
        case 58: {
          const previous = codeAt(sql, at - 1);
          if (next === 61) at += 2;
          else if (isNameStart(next) && !isName(previous) && previous !== 58) {
            kind = 'named';
            at = endOfName(sql, at + 1);
          } else at++;
          break;
        }
        case 64:
          at = endOfVariable(sql, at + 1, quoting);
          if (at > start + 1) kind = 'variable';
          break;
        case 35:
          kind = 'comment';
          at = endOfLine(sql, at);
          break;
        case 45:
          if (next === 45 && endsDashes(codeAt(sql, at + 2))) {
            kind = 'comment';
            at = endOfLine(sql, at);
          } else at++;
          break;
        case 47: {
          const content = next === 42 ? startOfExecutable(sql, at + 2) : -1;
          if (next !== 42) at++;
          else if (content === -1) {
            kind = 'comment';
            at = endOfBlock(sql, at + 2);
          } else {
            kind = 'executable-open';
            executable = true;
            at = content;
          }
          break;
        }
        case 42:
          if (next === 47 && executable) {
            tokens.push({ kind: 'executable-close', start, end: at + 2, executable: true });
            executable = false;
            at += 2;
            continue;
          }
          at++;
          break;
        default:
          at++;
      }
    }
    tokens.push({ kind, start, end: at, executable });
  }
  return tokens;
}

/** Whether the text ends inside a quote or a comment, given its last token; a server refuses it, or reads on elsewhere. */
export function endsOpen(sql: string, last: Token | undefined, quoting: Quoting = escaping): boolean {
  if (last === undefined) return false;
  if (last.executable && last.kind !== 'executable-close') return true;
  const { kind, start, end } = last;
  switch (kind) {
    case 'string':
    case 'identifier':
      return closingQuote(sql, start, quoting) === -1;
    case 'variable': {
      const quote = codeAt(sql, start + 1);
      return isQuote(quote) && closingQuote(sql, start + 1, quoting) === -1;
    }
    case 'comment':
      return codeAt(sql, start) === 47 && (end < start + 4 || !sql.startsWith('*/', end - 2));
    default:
      return false;
  }
}

function isQuote(code: number): boolean {
  return code === 39 || code === 34 || code === 96;
}

/** Behind the quote that closes the one at an index, or the end of the text. */
function endOfQuoted(sql: string, at: number, quoting: Quoting): number {
  const closing = closingQuote(sql, at, quoting);
  return closing === -1 ? sql.length : closing + 1;
}

/** Where the quote at an index is closed, or -1; a doubled one does not close. */
function closingQuote(sql: string, at: number, quoting: Quoting): number {
  const quote = codeAt(sql, at);
  const escapes = quote === 39 ? quoting.single : quote === 34 && quoting.double;
  for (let end = at + 1; end < sql.length; end++) {
    const code = sql.charCodeAt(end);
    if (code === 92 && escapes) end++;
    else if (code === quote) {
      if (codeAt(sql, end + 1) !== quote) return end;
      end++;
    }
  }
  return -1;
}

/** The end of `@name`, `@'name'`, `@@name` or `@@session.name`, given what follows the first `@`. */
function endOfVariable(sql: string, at: number, quoting: Quoting): number {
  const code = codeAt(sql, at);
  if (isQuote(code)) return endOfQuoted(sql, at, quoting);
  let end = code === 64 ? at + 1 : at;
  while (isName(codeAt(sql, end)) || codeAt(sql, end) === 46) end++;
  return end;
}

/** `--` begins a comment only before white space, a control character or the end (MySQL manual, 11.7 Comments). */
function endsDashes(code: number): boolean {
  return code <= 32 || code === 127;
}

function endOfLine(sql: string, at: number): number {
  const end = sql.indexOf('\n', at);
  return end === -1 ? sql.length : end;
}

function endOfBlock(sql: string, at: number): number {
  const end = sql.indexOf('*/', at);
  return end === -1 ? sql.length : end + 2;
}

/** Where the code of an executable comment begins, or -1 for a plain comment; a version is five or six digits. */
function startOfExecutable(sql: string, at: number): number {
  const mariadb = codeAt(sql, at) === 77 && codeAt(sql, at + 1) === 33;
  if (!mariadb && codeAt(sql, at) !== 33) return -1;
  const version = mariadb ? at + 2 : at + 1;
  const digits = Math.min(endOfDigits(sql, version), version + 6) - version;
  return digits >= 5 ? version + digits : version;
}
