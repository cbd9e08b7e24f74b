import type { TableRef } from './tables.ts';

type Test = (name: string) => boolean;

/**
 * Compiles `primaryOnly` patterns into one test, made once per cluster.
 *
 * A pattern is `table` (in any schema) or `schema.table`; `*` stands for any run of characters, a part may stand between
 * backticks, letter case does not matter. A statement that names no schema matches `schema.table` by the table alone:
 * the connection's database may be that schema.
 */
export function compileTablePatterns(patterns: readonly string[]): (table: TableRef) => boolean {
  const anywhere = new Set<string>();
  const rules: { schema: Test; name: Test }[] = [];
  for (const pattern of patterns) {
    const [first = '', second] = partsOf(pattern.toLowerCase());
    if (second !== undefined) rules.push({ schema: compile(first), name: compile(second) });
    else if (first.includes('*')) rules.push({ schema: () => true, name: compile(first) });
    else anywhere.add(first);
  }
  if (patterns.length === 0) return () => false;
  return (table) => {
    const name = table.name.toLowerCase();
    if (anywhere.has(name)) return true;
    if (rules.length === 0) return false;
    const schema = table.schema?.toLowerCase();
    return rules.some((rule) => rule.name(name) && (schema === undefined || rule.schema(schema)));
  };
}

/** Splits at the first dot outside backticks, and takes the backticks off. */
function partsOf(pattern: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (const character of pattern.trim()) {
    if (character === '`') quoted = !quoted;
    else if (character === '.' && !quoted && parts.length === 0) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

/** Linear in the name: the fixed pieces are looked for one after another. */
function compile(pattern: string): Test {
  const pieces = pattern.split('*');
  const head = pieces[0] ?? '';
  if (pieces.length === 1) return (name) => name === head;
  const tail = pieces.at(-1) ?? '';
  const middle = pieces.slice(1, -1);
  return (name) => {
    if (!name.startsWith(head) || !name.endsWith(tail)) return false;
    let at = head.length;
    for (const piece of middle) {
      const found = name.indexOf(piece, at);
      if (found === -1) return false;
      at = found + piece.length;
    }
    return at <= name.length - tail.length;
  };
}
