import type { Logger } from 'drizzle-orm/logger';
import { type Checks, checkOptions, flag } from '../../config/call-options.ts';

/** Where a query outside of a transaction runs. */
export type DrizzleTarget = 'primary' | 'replica' | 'auto';

/** What {@link drizzle} may be given. `undefined` counts as absent. */
export interface DrizzleOptions<Schema extends Record<string, unknown> = Record<string, never>> {
  /** The tables and relations for `database.query`. Default: none. */
  readonly schema?: Schema | undefined;
  /**
   * How Drizzle reads relations. `'default'`: with lateral joins, which MariaDB does not have. `'planetscale'`: with
   * subqueries. Default `'default'`.
   */
  readonly mode?: 'default' | 'planetscale' | undefined;
  /** How the names of columns are made of those of properties. Default: as they are. */
  readonly casing?: 'snake_case' | 'camelCase' | undefined;
  /** Is told every query with its values; `true`: Drizzle's, which prints them. Default `false`. */
  readonly logger?: boolean | Logger | undefined;
  /**
   * Where queries run outside of transactions. Default `'primary'`. `'auto'`: what a builder selects goes to a replica if
   * it provably only reads, and no `primaryOnly` table; everything else, and `execute`, to the primary. Transactions run
   * on the primary whatever is said.
   */
  readonly target?: DrizzleTarget | undefined;
  /**
   * Deadline of one statement in milliseconds. Default: `timeoutMs` of the cluster, within a transaction what that has
   * left; none for the answers to DDL.
   */
  readonly timeoutMs?: number | undefined;
  /** A COMMIT without an answer is looked up in the commit ledger, as with `db.transaction`. Default `false`. */
  readonly exactlyOnce?: boolean | undefined;
}

const targets: readonly unknown[] = ['primary', 'replica', 'auto'] satisfies readonly DrizzleTarget[];

const checks: Checks = {
  schema: {
    rule: 'must be an object of tables and relations',
    accepts: (value) => typeof value === 'object' && value !== null,
  },
  mode: {
    rule: "must be 'default' or 'planetscale'",
    accepts: (value) => value === 'default' || value === 'planetscale',
  },
  casing: {
    rule: "must be 'snake_case' or 'camelCase'",
    accepts: (value) => value === 'snake_case' || value === 'camelCase',
  },
  logger: {
    rule: 'must be true, false or an object with logQuery',
    accepts: (value) =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null && 'logQuery' in value),
  },
  target: {
    rule: "must be 'primary', 'replica' or 'auto'",
    accepts: (value) => targets.includes(value),
  },
  timeoutMs: {
    rule: 'must be a number of milliseconds from 1',
    accepts: (value) => typeof value === 'number' && value >= 1,
  },
  exactlyOnce: flag,
};

/** @throws {@link ConfigError} */
export function checkDrizzleOptions(options: object): void {
  checkOptions(options, checks);
}
