import type { Candidate, Chooser, Policy, Surroundings } from './candidate.ts';

export interface ChoiceRules extends Surroundings {
  readonly policy: Policy;
  /** Candidates of this zone come first; `undefined` when zones do not matter. */
  readonly zone: string | undefined;
}

/**
 * Makes the chooser for these candidates: the policy decides among those of the preferred zone, or among all when none
 * of them is there. `undefined` when there is nobody to choose from.
 */
export function createChooser<C extends Candidate>(
  candidates: readonly C[],
  rules: ChoiceRules,
): Chooser<C> | undefined {
  const [only, ...others] = preferZone(candidates, rules.zone);
  if (only === undefined) return undefined;
  return others.length === 0 ? () => only : rules.policy([only, ...others], rules);
}

/** The candidates of `zone` if there are any, else all. */
export function preferZone<C extends Candidate>(
  candidates: readonly C[],
  zone: string | undefined,
): readonly C[] {
  if (zone === undefined) return candidates;
  const near = candidates.filter((candidate) => candidate.zone === zone);
  return near.length > 0 ? near : candidates;
}
