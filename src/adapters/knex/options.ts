import { type Checks, checkOptions, millisecondsOrInfinity, oneOf } from '../../config/check-options.ts';

/** Where queries run. */
export type KnexTarget = 'primary' | 'replica';

/** What {@link knexClient} may be given. `undefined` counts as absent. */
export interface KnexClientOptions {
  /**
   * Where queries of a builder or `raw` run that do not say it themselves by `.primary()` or `.replica()`. Default
   * `'primary'`. Schema builders and transactions run on the primary whatever is said.
   */
  readonly target?: KnexTarget | undefined;
  /**
   * Deadline of one statement in milliseconds, `Infinity` for none. Default: `timeoutMs` of the cluster, within a
   * transaction its `transactionTimeoutMs`; none for the answers to DDL and while migrations run.
   */
  readonly timeoutMs?: number | undefined;
}

const checks: Checks = {
  target: oneOf('primary', 'replica'),
  timeoutMs: millisecondsOrInfinity,
};

/** @throws {@link ConfigError} */
export function checkKnexOptions(options: KnexClientOptions): void {
  checkOptions(options, checks);
}
