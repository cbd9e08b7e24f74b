import type { KnexTarget } from './options.ts';

const targets = new WeakMap<object, KnexTarget>();

/** Remembers where a query is to run. */
export function setTarget(query: object, target: KnexTarget): void {
  targets.set(query, target);
}

/** Where a query is to run, if it says so itself. */
export function targetOf(query: object): KnexTarget | undefined {
  return targets.get(query);
}
