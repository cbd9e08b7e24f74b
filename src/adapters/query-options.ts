import { type Checks, flag, milliseconds, oneOf } from '../config/check-options.ts';

/** Where a query by itself runs. */
export type QueryTarget = 'primary' | 'replica' | 'auto';

/** What query builders over the handles of a cluster may be given. `undefined` counts as absent. */
export interface QueryOptions {
  /**
   * Where queries run that do not say it themselves. Default `'primary'`. `'auto'`: what a builder selects goes to a
   * replica if it provably only reads, and no `primaryOnly` table; everything else, and SQL that was written by hand, to
   * the primary. Transactions run on the primary whatever is said.
   */
  readonly target?: QueryTarget | undefined;
  /**
   * Deadline of one statement in milliseconds. Default: `timeoutMs` of the cluster, within a transaction what that has
   * left; none for the answers to DDL and on a session of its own.
   */
  readonly timeoutMs?: number | undefined;
  /** A COMMIT without an answer is looked up in the commit ledger, as with `db.transaction`. Default `false`. */
  readonly exactlyOnce?: boolean | undefined;
}

export const queryChecks: Checks = {
  target: oneOf(...(['primary', 'replica', 'auto'] satisfies readonly QueryTarget[])),
  timeoutMs: milliseconds,
  exactlyOnce: flag,
};
