/** How many words are kept; a power of two. */
const SIZE = 2048;
const words: string[] = new Array<string>(SIZE).fill('');

/**
 * The word between two indexes in upper case, as one string per word: comparing and looking up such keys costs little,
 * and the common ones are never made twice. A word with a character above U+007F is given as it stands, since keywords
 * have none, and folding could make one of it (`ſ` becomes `S`).
 */
export function keyOf(sql: string, start: number, end: number): string {
  let hash = end - start;
  for (let i = start; i < end; i++) {
    const code = sql.charCodeAt(i);
    if (code > 127) return sql.slice(start, end);
    hash = (Math.imul(hash, 31) + upper(code)) | 0;
  }
  const slot = hash & (SIZE - 1);
  const known = words[slot] ?? '';
  if (isSame(known, sql, start, end)) return known;
  const key = sql.slice(start, end).toUpperCase();
  if (key.length > 32) return key;
  const kept = Object.keys({ [key]: 0 })[0] ?? key; // names of properties are compared by identity in V8
  words[slot] = kept;
  return kept;
}

function isSame(key: string, sql: string, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = start; i < end; i++) {
    if (upper(sql.charCodeAt(i)) !== key.charCodeAt(i - start)) return false;
  }
  return true;
}

function upper(code: number): number {
  return code >= 97 && code <= 122 ? code - 32 : code;
}
