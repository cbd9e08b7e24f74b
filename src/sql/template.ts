import { codeAt, fusesWithValue } from './characters.ts';
import type { Scan } from './scan.ts';

/** Which placeholders a statement has; `mixed` cannot be bound. */
export type Placeholders = 'none' | 'positional' | 'named' | 'mixed';

/** One placeholder. */
export interface Slot {
  /** Without its colon; undefined for `?`. */
  readonly name: string | undefined;
  /** True for the single placeholder of `IN (?)`, where an array may stand. */
  readonly inList: boolean;
}

/** A statement split at its placeholders: `parts` has one more element than `slots`. */
export interface Template {
  readonly parts: readonly string[];
  readonly slots: readonly Slot[];
  /** The distinct names, in order of appearance. */
  readonly names: readonly string[];
  /** The text with `?` for every placeholder, as a server prepares it. */
  readonly positionalText: string;
  /** Why nothing can be bound, or undefined. */
  readonly problem: string | undefined;
}

const plainSlot: Slot = Object.freeze({ name: undefined, inList: false });
const listSlot: Slot = Object.freeze({ name: undefined, inList: true });

/** Splits a statement at its placeholders; a value put between two parts never fuses with what stands beside it. */
export function splitTemplate(scanned: Scan): { template: Template; placeholders: Placeholders } {
  const { sql, tokens, keys } = scanned;
  const parts: string[] = [];
  const slots: Slot[] = [];
  const names = new Set<string>();
  let positional = 0;
  let problem: string | undefined;
  let from = 0;
  let before = ''; // a space owed to the next part

  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined || (token.kind !== 'positional' && token.kind !== 'named')) continue;
    const name = token.kind === 'named' ? sql.slice(token.start + 1, token.end) : undefined;
    if (name === undefined) positional++;
    else names.add(name);
    if (token.executable)
      problem ??= 'a placeholder stands in an executable comment (/*! … */), where no value is safe';
    if (name === undefined && codeAt(sql, token.end) === 63) {
      problem ??= '"??" is no placeholder here; put identifiers in with sql.id(…)';
    }
    const inList = i > 1 && keys[i - 2] === 'IN' && keys[i - 1] === '(' && keys[i + 1] === ')';
    const text = before + sql.slice(from, token.start);
    parts.push(fusesWithValue(codeAt(sql, token.start - 1)) ? `${text} ` : text);
    before = fusesWithValue(codeAt(sql, token.end)) ? ' ' : '';
    slots.push(name === undefined ? (inList ? listSlot : plainSlot) : Object.freeze({ name, inList }));
    from = token.end;
  }
  parts.push(before + sql.slice(from));
  const named = slots.length - positional;
  if (positional > 0 && named > 0) problem ??= `"?" and ":${[...names][0]}" cannot be used in one statement`;
  const placeholders =
    slots.length === 0 ? 'none' : named === 0 ? 'positional' : positional === 0 ? 'named' : 'mixed';
  return {
    placeholders,
    template: Object.freeze({
      parts: Object.freeze(parts),
      slots: Object.freeze(slots),
      names: Object.freeze([...names]),
      positionalText: named === 0 ? sql : parts.join('?'),
      problem,
    }),
  };
}
