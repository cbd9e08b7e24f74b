import { BoundedCache } from './bounded-cache.ts';
import { tokenize } from './lexer.ts';
import { demandOfText } from './readings.ts';
import { scanOf } from './scan.ts';
import { type TableRef, tablesOf } from './tables.ts';

/** Where a statement may run, and why; frozen. */
export interface Classification {
  /** `replica` when it is proved to be a pure read. */
  readonly target: 'primary' | 'replica';
  /** The tables that it names, each once. */
  readonly tables: readonly TableRef[];
  /** What decided: the beginning of a sentence, to be shown to people. */
  readonly reason: string;
}

const cache = new BoundedCache<Classification>(500);
const MAX_CACHED_LENGTH = 10_000;

/**
 * Says where a statement of MySQL 5.7 to 9 or MariaDB 10 to 11 may run, without asking a server.
 *
 * `replica` is said only of what provably just reads: it writes nothing, locks nothing, leaves nothing on its connection,
 * and asks for nothing that only one server or one connection can tell. Whatever is not understood is for the primary,
 * and so is what one server could read differently from another (`sql_mode`, executable comments). Views are not looked
 * into: one may call a function that writes, which a replica refuses.
 *
 * Never throws, takes time in proportion to the text, and remembers texts seen lately.
 */
export function classify(sql: string): Classification {
  const known = cache.get(sql);
  if (known !== undefined) return known;
  const classification = read(sql);
  if (sql.length <= MAX_CACHED_LENGTH) cache.set(sql, classification);
  return classification;
}

function read(sql: string): Classification {
  const tokens = tokenize(sql);
  const scanned = scanOf(sql, tokens);
  const demand = demandOfText(sql, tokens, scanned);
  return Object.freeze({
    target: demand === undefined ? 'replica' : 'primary',
    tables: tablesOf(scanned),
    reason: demand?.reason ?? 'it only reads',
  });
}
