import { codeAt, isDigit, isName, isNameStart, isSpace } from './characters.ts';

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

/**
 * Splits MySQL or MariaDB text into tokens, in order and without overlap; between them stands only white space.
 *
 * Linear in the length of the text and never throws: an unterminated quote or comment reaches to the end. Quotes are
 * read as by a server without `NO_BACKSLASH_ESCAPES` and `ANSI_QUOTES`. `??` is two positional placeholders; `::`, `:=`
 * and a colon right after a name (`label:LOOP`) start no named placeholder.
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let executable = false;
  let nameEnd = -1; // where the last name ended: after `db.` the text `2fa` is a name
  let at = 0;

  const push = (kind: TokenKind, end: number): void => {
    tokens.push({ kind, start: at, end, executable });
    at = end;
    if (kind === 'word' || kind === 'identifier') nameEnd = end;
  };

  while (at < sql.length) {
    const code = codeAt(sql, at);
    const next = codeAt(sql, at + 1);
    if (isSpace(code)) at++;
    else if (isNameStart(code)) push('word', endOfName(sql, at));
    else if (isDigit(code)) {
      const afterDot = nameEnd === at - 1 && codeAt(sql, at - 1) === 46;
      const end = endOfNumber(sql, at);
      if (!afterDot && end !== -1) push('number', end);
      else push('word', endOfName(sql, at));
    } else if (code === 46 && isDigit(next) && nameEnd !== at) push('number', endOfFraction(sql, at));
    else if (code === 39 || code === 34) push('string', endOfString(sql, at, code));
    else if (code === 96) push('identifier', endOfIdentifier(sql, at + 1));
    else if (code === 63) push('positional', at + 1);
    else if (code === 58) {
      const previous = codeAt(sql, at - 1);
      if (next === 61) push('operator', at + 2);
      else if (isNameStart(next) && !isName(previous) && previous !== 58)
        push('named', endOfName(sql, at + 1));
      else push('operator', at + 1);
    } else if (code === 64) {
      const end = endOfVariable(sql, at + 1);
      push(end === at + 1 ? 'operator' : 'variable', end);
    } else if (code === 35 || (code === 45 && next === 45 && endsDashes(codeAt(sql, at + 2)))) {
      push('comment', endOfLine(sql, at));
    } else if (code === 47 && next === 42) {
      const content = startOfExecutable(sql, at + 2);
      if (content === -1) push('comment', endOfBlock(sql, at + 2));
      else {
        executable = true;
        push('executable-open', content);
      }
    } else if (code === 42 && next === 47 && executable) {
      push('executable-close', at + 2);
      executable = false;
    } else push('operator', at + 1);
  }
  return tokens;
}

function endOfName(sql: string, at: number): number {
  let end = at;
  while (isName(codeAt(sql, end))) end++;
  return end;
}

function endOfDigits(sql: string, at: number): number {
  let end = at;
  while (isDigit(codeAt(sql, end))) end++;
  return end;
}

/** The end of `12`, `1.5`, `1e-3` or `0xFF`, or -1 where digits begin a name, as in `2fa`. */
function endOfNumber(sql: string, at: number): number {
  const end = endOfDigits(sql, at);
  const code = codeAt(sql, end);
  if (code === 46) return endOfFraction(sql, end);
  const exponent = endOfExponent(sql, end);
  if (exponent !== end) return exponent;
  if (!isName(code)) return end;
  const nameEnd = endOfName(sql, end);
  return end === at + 1 && isHexOrBinary(sql, at, nameEnd) ? nameEnd : -1;
}

function endOfFraction(sql: string, dot: number): number {
  return endOfExponent(sql, endOfDigits(sql, dot + 1));
}

function endOfExponent(sql: string, at: number): number {
  if ((codeAt(sql, at) | 32) !== 101) return at;
  const sign = codeAt(sql, at + 1);
  const digits = sign === 43 || sign === 45 ? at + 2 : at + 1;
  return isDigit(codeAt(sql, digits)) ? endOfDigits(sql, digits) : at;
}

function isHexOrBinary(sql: string, at: number, end: number): boolean {
  const base = codeAt(sql, at + 1);
  if (codeAt(sql, at) !== 48 || (base !== 120 && base !== 98) || end === at + 2) return false;
  for (let i = at + 2; i < end; i++) {
    const code = codeAt(sql, i);
    const digit =
      base === 98 ? code === 48 || code === 49 : isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 102);
    if (!digit) return false;
  }
  return true;
}

function endOfString(sql: string, at: number, quote: number): number {
  for (let end = at + 1; end < sql.length; end++) {
    const code = codeAt(sql, end);
    if (code === 92) end++;
    else if (code === quote) {
      if (codeAt(sql, end + 1) !== quote) return end + 1;
      end++;
    }
  }
  return sql.length;
}

function endOfIdentifier(sql: string, at: number): number {
  for (let end = at; end < sql.length; end++) {
    if (codeAt(sql, end) !== 96) continue;
    if (codeAt(sql, end + 1) !== 96) return end + 1;
    end++;
  }
  return sql.length;
}

/** The end of `@name`, `@'name'`, `@@name` or `@@session.name`, given what follows the first `@`. */
function endOfVariable(sql: string, at: number): number {
  const code = codeAt(sql, at);
  if (code === 39 || code === 34) return endOfString(sql, at, code);
  if (code === 96) return endOfIdentifier(sql, at + 1);
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
