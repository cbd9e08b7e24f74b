import { type Checks, checkOptions } from '../../config/call-options.ts';

/** Where a query by itself runs. */
export type KyselyTarget = 'primary' | 'replica' | 'auto';

/** What {@link VipsqlDialect} may be given. `undefined` counts as absent. */
export interface KyselyDialectOptions {
  /**
   * Where queries run that do not say it themselves by {@link onPrimary} or {@link onReplica}. Default `'primary'`.
   * `'auto'`: what a builder selects goes to a replica if it provably only reads, and no `primaryOnly` table;
   * everything else, and SQL that was written by hand, to the primary. Transactions run on the primary whatever is said.
   */
  readonly target?: KyselyTarget | undefined;
  /**
   * Deadline of one statement in milliseconds. Default: `timeoutMs` of the cluster, within a transaction what that has
   * left; none for the answers to DDL and on a session of its own.
   */
  readonly timeoutMs?: number | undefined;
  /** A COMMIT without an answer is looked up in the commit ledger, as with `db.transaction`. Default `false`. */
  readonly exactlyOnce?: boolean | undefined;
}

const targets: readonly unknown[] = ['primary', 'replica', 'auto'] satisfies readonly KyselyTarget[];

const checks: Checks = {
  target: {
    rule: "must be 'primary', 'replica' or 'auto'",
    accepts: (value) => targets.includes(value),
  },
  timeoutMs: {
    rule: 'must be a number of milliseconds from 1',
    accepts: (value) => typeof value === 'number' && value >= 1,
  },
  exactlyOnce: {
    rule: 'must be true or false',
    accepts: (value) => typeof value === 'boolean',
  },
};

/** @throws {@link ConfigError} */
export function checkKyselyOptions(options: KyselyDialectOptions): void {
  checkOptions(options, checks);
}
