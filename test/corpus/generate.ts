import { effects, particular } from './effects.ts';
import { odd } from './odd.ts';
import { reads } from './reads.ts';

/** How many variants are made of each statement besides itself. */
const variantsOfRead = 7;
const variantsOfEffect = 2;

/** Every statement of the corpus, each once, in an order that does not change. */
export function statements(): readonly string[] {
  const random = randomFrom(20_240_229);
  const all = new Set<string>([...odd, ...particular]);
  for (const sql of reads) addVariants(all, sql, { count: variantsOfRead, isRead: true }, random);
  for (const sql of effects) addVariants(all, sql, { count: variantsOfEffect, isRead: false }, random);
  return [...all];
}

type Random = (below: number) => number;

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

interface Variants {
  readonly count: number;
  readonly isRead: boolean;
}

function addVariants(all: Set<string>, sql: string, { count, isRead }: Variants, random: Random): void {
  all.add(sql);
  for (let i = 0; i < count; i += 1) {
    let text = sql;
    for (let n = random(2); n >= 0; n -= 1) text = change(text, isRead, random);
    all.add(text);
  }
}

/** One change that leaves the meaning of most statements as it was. */
function change(sql: string, isRead: boolean, random: Random): string {
  const isQuery = /^\s*(?:SELECT|WITH|TABLE|VALUES)\b/.test(sql) && !sql.includes('--') && !sql.includes('#');
  const plain = [
    () => `${sql};`,
    () => `/* note */ ${sql}`,
    () => `-- note; FOR UPDATE\n${sql}`,
    () => `# it's a "note"\n${sql}`,
    () => `${sql}\n-- end`,
    () => `${sql} /* end */`,
    () => `  \t${sql}\r\n`,
    () => `/*!40000 */${sql}`,
    () => lowerKeywords(sql),
    () => comments(sql, random),
    () => newlines(sql),
  ];
  const nested = [
    () => `(${sql})`,
    () => `((${sql}))`,
    () => `SELECT COUNT(*) FROM (${sql}) AS dt`,
    () => `WITH cte AS (${sql}) SELECT COUNT(*) FROM cte`,
    () => `(${sql}) UNION ALL (${sql})`,
    () => `SELECT /*!50000 1 AS one, */ x.* FROM (${sql}) x`,
    () => `SELECT /*+ MAX_EXECUTION_TIME(5000) */ * FROM (${sql}) AS \`d t\``,
    () => `WITH a (n) AS (SELECT 1), b AS (${sql}) SELECT * FROM a, b`,
  ];
  // What these wrap is not run to its end: an effect in it would be none.
  const unfinished = [
    () => `EXPLAIN ${sql}`,
    () => `SELECT EXISTS (${sql})`,
    () => `SELECT 1 WHERE EXISTS (${sql})`,
  ];
  const choices = isQuery ? [...plain, ...nested, ...(isRead ? unfinished : nested)] : plain;
  const chosen = choices[random(choices.length)];
  return chosen === undefined ? sql : chosen();
}

const keywords =
  /\b(?:SELECT|FROM|WHERE|AND|OR|JOIN|ON|FOR|UPDATE|INTO|ORDER|BY|GROUP|UNION|WITH|AS|LOCK|IN|SHARE|MODE|SET)\b/g;

function lowerKeywords(sql: string): string {
  return outsideQuotes(sql, (code) => code.replace(keywords, (word) => word.toLowerCase()));
}

function comments(sql: string, random: Random): string {
  return outsideQuotes(sql, (code) => code.replace(/ /g, () => (random(3) === 0 ? ' /* ; */ ' : ' ')));
}

function newlines(sql: string): string {
  return outsideQuotes(sql, (code) => code.replace(/ /g, '\n  '));
}

/** Changes what stands outside of quotes and comments, in texts that are simple enough to tell. */
function outsideQuotes(sql: string, change: (code: string) => string): string {
  if (/\\|--|#|\/\*/.test(sql)) return sql;
  return sql.replace(/[^'"`]+|'[^']*'|"[^"]*"|`[^`]*`/g, (part) =>
    /^['"`]/.test(part) ? part : change(part),
  );
}
