import type { Logger } from 'drizzle-orm/logger';
import { type Checks, checkOptions, oneOf } from '../../config/check-options.ts';
import { type QueryOptions, queryChecks } from '../query-options.ts';

/** What {@link drizzle} may be given. `undefined` counts as absent. */
export interface DrizzleOptions<Schema extends Record<string, unknown> = Record<string, never>>
  extends QueryOptions {
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
}

const checks: Checks = {
  ...queryChecks,
  schema: {
    rule: 'must be an object of tables and relations',
    accepts: (value) => typeof value === 'object' && value !== null,
  },
  mode: oneOf('default', 'planetscale'),
  casing: oneOf('snake_case', 'camelCase'),
  logger: {
    rule: 'must be true, false or an object with logQuery',
    accepts: (value) =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null && 'logQuery' in value),
  },
};

/** @throws {@link ConfigError} */
export function checkDrizzleOptions(options: object): void {
  checkOptions(options, checks);
}
