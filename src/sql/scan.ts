import type { Token } from './lexer.ts';
import { tokenize } from './lexer.ts';
import { keyOf } from './word-keys.ts';

/** The code of a text: its tokens without comments, with the keywords ready to compare. */
export interface Scan {
  readonly sql: string;
  /** All tokens that are code, those within executable comments included. */
  readonly tokens: readonly Token[];
  /** Per token: a word or variable in upper case (words beyond ASCII as they stand), an operator as it stands, '' for anything else. */
  readonly keys: readonly string[];
  /** True when an executable comment occurs: what runs depends on the server. */
  readonly executable: boolean;
}

/** Reads a text into its code. */
export function scan(sql: string): Scan {
  return scanOf(sql, tokenize(sql));
}

/** The code among the tokens of a text. */
export function scanOf(sql: string, all: readonly Token[]): Scan {
  const keys: string[] = [];
  let tokens: Token[] | undefined; // made when the first token is left out
  let executable = false;
  for (let i = 0; i < all.length; i++) {
    const token = all[i] as Token;
    const { kind, start, end } = token;
    if (token.executable) executable = true;
    switch (kind) {
      case 'comment':
      case 'executable-open':
      case 'executable-close':
        tokens ??= all.slice(0, i);
        continue;
      case 'operator':
        keys.push(end === start + 1 ? characterAt(sql, start) : sql.slice(start, end));
        break;
      case 'word':
      case 'variable':
        keys.push(keyOf(sql, start, end));
        break;
      default:
        keys.push('');
    }
    tokens?.push(token);
  }
  return { sql, tokens: tokens ?? all, keys, executable };
}

const characters: readonly string[] = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

function characterAt(sql: string, at: number): string {
  return characters[sql.charCodeAt(at)] ?? sql.charAt(at);
}

/** The name that a word, an identifier or a double-quoted string stands for, without its quotes. */
export function nameOf(scanned: Scan, index: number): string {
  const token = scanned.tokens[index];
  if (token === undefined) return '';
  const text = scanned.sql.slice(token.start, token.end);
  if (token.kind === 'word') return text;
  const quote = text.charAt(0);
  const closed = text.length > 1 && text.endsWith(quote);
  return text.slice(1, closed ? -1 : undefined).replaceAll(quote + quote, quote);
}

/** The index after the bracket that closes the one at `open`, or the number of tokens when none does. */
export function afterClosing(scanned: Scan, open: number): number {
  let depth = 0;
  for (let i = open; i < scanned.keys.length; i++) {
    if (scanned.keys[i] === '(') depth++;
    else if (scanned.keys[i] === ')' && --depth === 0) return i + 1;
  }
  return scanned.keys.length;
}
