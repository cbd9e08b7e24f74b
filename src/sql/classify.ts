import { analyze, type Classification } from './statement.ts';

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
  return analyze(sql).classification;
}
