import type { ResolvedConfig } from '../config/types.ts';
import type { PrimaryReader } from '../topology/primary-reader.ts';
import type { Replica } from '../topology/replica.ts';
import type { ReplicaSet } from '../topology/replica-set.ts';
import type { Chooser } from './candidate.ts';
import { type ChoiceRules, createChooser } from './chooser.ts';
import { policies } from './policies.ts';
import { PrimaryTarget } from './primary-target.ts';
import type { ReadTarget } from './read-target.ts';

export interface ReadChoiceOptions {
  readonly balance: ResolvedConfig['balance'];
  readonly replicas: Pick<ReplicaSet, 'candidates'>;
  readonly primary: PrimaryReader;
}

/** Chooses the server of each read by the configured policy; what that needs is computed once per change of state. */
export class ReadChoice {
  /** The primary, which is among the candidates only if `primaryWeight` says so. */
  readonly primary: PrimaryTarget;
  readonly #options: ReadChoiceOptions;
  readonly #rules: ChoiceRules;
  #choose: Chooser<ReadTarget> | undefined;
  #chosenFrom: readonly Replica[] | undefined;
  #withPrimary = false;

  constructor(options: ReadChoiceOptions) {
    const { balance, primary } = options;
    this.#options = options;
    this.primary = new PrimaryTarget(primary, balance.primaryWeight);
    this.#rules = {
      policy: policies[balance.policy],
      zone: balance.zone,
      rampUpMs: balance.rampUpMs,
      now: () => performance.now(),
      random: Math.random,
    };
  }

  /** One of these by the same policy; `undefined` when there is none. */
  among(targets: readonly ReadTarget[]): ReadTarget | undefined {
    if (targets.length === 1) return targets[0];
    const isAnyone = targets.length === this.#targets().length;
    return isAnyone ? this.next([]) : createChooser(targets, this.#rules)?.();
  }

  /** A server that serves now and was not tried; `undefined` when there is none. In constant time for a first try. */
  next(tried: readonly ReadTarget[]): ReadTarget | undefined {
    const { candidates } = this.#options.replicas;
    const withPrimary = this.primary.weight > 0 && this.#options.primary.available;
    if (candidates !== this.#chosenFrom || withPrimary !== this.#withPrimary) {
      this.#chosenFrom = candidates;
      this.#withPrimary = withPrimary;
      this.#choose = createChooser(this.#targets(), this.#rules);
    }
    if (tried.length === 0) return this.#choose?.();
    const untried = this.#targets().filter((target) => !tried.includes(target));
    return createChooser(untried, this.#rules)?.();
  }

  #targets(): readonly ReadTarget[] {
    const { candidates } = this.#options.replicas;
    return this.#withPrimary ? [...candidates, this.primary] : candidates;
  }
}
