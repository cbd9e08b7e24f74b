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
import { servicesOf } from '../../handles/services.ts';
import { VipsqlDriver } from './driver.ts';
import { checkKyselyOptions, type KyselyDialectOptions } from './options.ts';

export type { KyselyDialectOptions } from './options.ts';

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
    checkKyselyOptions(options);
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
