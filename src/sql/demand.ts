/**
 * What a statement that is no pure read asks for.
 *
 * `server`: it harms nothing, but its answer is that of whoever is asked, or it spends time on purpose. `primary`: it
 * writes, locks, or is not known to do neither. `session`: it reads what one connection keeps from statement to statement.
 * `session-change`: it changes that. Both may write besides.
 */
export type Scope = 'server' | 'primary' | 'session' | 'session-change';

/** Why a statement is no pure read. */
export interface Demand {
  readonly scope: Scope;
  /** Half a sentence that begins with what was found: `GET_LOCK() takes a lock …`. */
  readonly reason: string;
}

const weight: Readonly<Record<Scope, number>> = { server: 1, primary: 2, session: 3, 'session-change': 4 };

/** The demand that asks for more; the first one where both ask the same. */
export function stronger(first: Demand | undefined, second: Demand | undefined): Demand | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return weight[second.scope] > weight[first.scope] ? second : first;
}

export function demand(scope: Scope, reason: string): Demand {
  return { scope, reason };
}
