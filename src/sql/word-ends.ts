import { codeAt, isDigit, isName } from './characters.ts';

/** Behind the name whose characters go on at an index. */
export function endOfName(sql: string, at: number): number {
  let end = at;
  while (end < sql.length && isName(sql.charCodeAt(end))) end++;
  return end;
}

/** Behind the digits at an index. */
export function endOfDigits(sql: string, at: number): number {
  let end = at;
  while (isDigit(codeAt(sql, end))) end++;
  return end;
}

/** The end of `12`, `1.5`, `1e-3` or `0xFF`, or -1 where digits begin a name, as in `2fa`. */
export function endOfNumber(sql: string, at: number): number {
  const end = endOfDigits(sql, at);
  const code = codeAt(sql, end);
  if (code === 46) return endOfFraction(sql, end);
  const exponent = endOfExponent(sql, end);
  if (exponent !== end) return exponent;
  if (!isName(code)) return end;
  const nameEnd = endOfName(sql, end);
  return end === at + 1 && isHexOrBinary(sql, at, nameEnd) ? nameEnd : -1;
}

/** Behind the fraction and the exponent of a number whose point stands at an index. */
export function endOfFraction(sql: string, dot: number): number {
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
