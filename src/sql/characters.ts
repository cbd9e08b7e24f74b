/** What {@link classOf} tells apart: where a token of one kind may begin. */
export const OTHER = 0;
export const DIGIT = 1;
export const LETTER = 2;
export const SPACE = 3;
/** A character that is an operator by itself, whatever follows. */
export const SINGLE = 4;

const classes = new Uint8Array(128);
for (let code = 48; code <= 57; code++) classes[code] = DIGIT;
for (let code = 65; code <= 90; code++) {
  classes[code] = LETTER;
  classes[code + 32] = LETTER;
}
for (const code of [36, 95]) classes[code] = LETTER; // $ and _
for (const code of [9, 10, 11, 12, 13, 32]) classes[code] = SPACE;
for (const character of '(),;=<>+!%&|^~{}[]\\') classes[character.charCodeAt(0)] = SINGLE;

/** The class of a character; MySQL takes all from U+0080 on as letters of names. */
export function classOf(code: number): number {
  return code < 128 ? (classes[code] ?? OTHER) : LETTER;
}

/** The character at an index, or 0 outside of the text: NaN, which charCodeAt gives, would make all look-ups slow. */
export function codeAt(text: string, at: number): number {
  return at >= 0 && at < text.length ? text.charCodeAt(at) : 0;
}

/** True for `0` to `9`. */
export function isDigit(code: number): boolean {
  return classes[code] === DIGIT;
}

/** True for what MySQL's parser skips between tokens. */
export function isSpace(code: number): boolean {
  return classes[code] === SPACE;
}

/** True for a character of an unquoted name that is no digit; MySQL takes all from U+0080 on. */
export function isNameStart(code: number): boolean {
  return code >= 128 || classes[code] === LETTER;
}

/** True for a character of an unquoted name. */
export function isName(code: number): boolean {
  return isNameStart(code) || classes[code] === DIGIT;
}

/** True for a character that would fuse with a value written right next to it: of a name, number, quote or variable. */
export function fusesWithValue(code: number): boolean {
  return isName(code) || code === 46 || code === 39 || code === 34 || code === 96 || code === 64;
}
