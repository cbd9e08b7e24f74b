import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type QueryCompiler,
} from 'kysely';
import type { Cluster } from '../../cluster.ts';
import { checkOptions } from '../../config/check-options.ts';
import { servicesOf } from '../../handles/services.ts';
import { type QueryOptions, queryChecks } from '../query-options.ts';
import { VipsqlDriver } from './driver.ts';

/** What {@link VipsqlDialect} may be given. */
export type KyselyDialectOptions = QueryOptions;

/**
 * Kysely's dialect for MySQL over a cluster: `new Kysely<Database>({ dialect: new VipsqlDialect(db) })`. It has no pool
 * of its own; `destroy()` leaves the cluster open.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export class VipsqlDialect implements Dialect {
  readonly #db: Cluster;
  readonly #options: KyselyDialectOptions;

  constructor(db: Cluster, options: KyselyDialectOptions = {}) {
    servicesOf(db);
    checkOptions(options, queryChecks);
    this.#db = db;
    this.#options = options;
  }

  /** Called by Kysely. */
  createDriver(): Driver {
    return new VipsqlDriver(this.#db, this.#options);
  }

  /** Called by Kysely. */
  createQueryCompiler(): QueryCompiler {
    return new MysqlQueryCompiler();
  }

  /** Called by Kysely. */
  createAdapter(): DialectAdapter {
    return new MysqlAdapter();
  }

  /** Called by Kysely. */
  // biome-ignore lint/suspicious/noExplicitAny: that is the type Kysely has it with.
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new MysqlIntrospector(db);
  }
}
