import type { Pool } from 'mysql2';
import type { Cluster } from '../../cluster.ts';
import { servicesOf } from '../../handles/services.ts';
import { bindFacade } from './binding.ts';
import { FacadePool } from './facade-pool.ts';
import { checkFacadeOptions, type FacadeOptions } from './options.ts';

/**
 * Makes a pool that looks like mysql2's: with callbacks, or with promises by its `promise()`. Its connections are those
 * of the cluster. `pool.query` does what `db.primary()` or `db.replica()` does, with retries and waiting for a failover;
 * `getConnection` lends a connection for a transaction. Values and errors are as mysql2 makes them, with vipsql's error
 * as the `cause`. What of mysql2's surface there is not throws by its name.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export function createPool(db: Cluster, options: FacadeOptions = {}): Pool {
  checkFacadeOptions(options);
  return new FacadePool(bindFacade(servicesOf(db), options)) as unknown as Pool;
}
