import type { Logger } from 'drizzle-orm/logger';
import {
  type Mode,
  type MySqlDialect,
  type MySqlPreparedQueryConfig,
  MySqlSession,
  MySqlTransaction,
  type MySqlTransactionConfig,
  type PreparedQueryKind,
  type SelectedFieldsOrdered,
} from 'drizzle-orm/mysql-core';
import type { MySql2PreparedQueryHKT, MySql2QueryResultHKT } from 'drizzle-orm/mysql2';
import type { RelationalSchemaConfig, TablesRelationalConfig } from 'drizzle-orm/relations';
import type { Query, SQL } from 'drizzle-orm/sql';
import { OpenTransaction } from '../../handles/open-transaction.ts';
import type { Services } from '../../handles/services.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import type { QueryTarget } from '../query-options.ts';
import { PartPlace, type Place, placeOn } from './place.ts';
import { PreparedQuery } from './prepared-query.ts';
import { transactionOptions } from './transaction-options.ts';

/** What a database of Drizzle's is bound to. */
export interface DrizzleBinding {
  readonly services: Services;
  readonly dialect: MySqlDialect;
  readonly schema: RelationalSchemaConfig<TablesRelationalConfig> | undefined;
  readonly mode: Mode;
  readonly logger: Logger;
  readonly driver: DriverOptions;
  readonly timeoutMs: number | undefined;
  readonly exactlyOnce: boolean | undefined;
}

type Work<T> = (tx: DrizzleTransaction) => Promise<T>;

abstract class BoundSession extends MySqlSession<
  MySql2QueryResultHKT,
  MySql2PreparedQueryHKT,
  Record<string, unknown>,
  TablesRelationalConfig
> {
  protected readonly binding: DrizzleBinding;

  constructor(binding: DrizzleBinding) {
    super(binding.dialect);
    this.binding = binding;
  }

  /** Where something runs; of SQL that was written by hand nobody says that it is to be a read. */
  protected abstract placeFor(isRead: boolean): Place;

  override prepareQuery<Config extends MySqlPreparedQueryConfig>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    mapRows?: (rows: unknown[][]) => Config['execute'],
    generatedIds?: Record<string, unknown>[],
    returningIds?: SelectedFieldsOrdered,
  ): PreparedQueryKind<MySql2PreparedQueryHKT, Config> {
    const { driver, logger } = this.binding;
    const place = this.placeFor(fields !== undefined || mapRows !== undefined);
    const parts = { place, driver, logger, query, fields, mapRows, generatedIds, returningIds };
    return new PreparedQuery<Config>(parts) as PreparedQueryKind<MySql2PreparedQueryHKT, Config>;
  }

  override async all<T = unknown>(query: SQL): Promise<T[]> {
    const [rows] = await this.execute<[T[], unknown]>(query);
    return rows;
  }

  override async count(query: SQL): Promise<number> {
    const mapRows = ([row]: unknown[][]): number => Number(row?.[0]);
    const counting = this.prepareQuery<{ execute: number; iterator: never }>(
      this.dialect.sqlToQuery(query),
      undefined,
      mapRows,
    );
    return await counting.execute();
  }
}

/** Runs queries by themselves, and begins transactions. */
export class ClusterSession extends BoundSession {
  readonly #onTarget: Place;
  readonly #byHand: Place;

  constructor(binding: DrizzleBinding, target: QueryTarget) {
    super(binding);
    const { services, timeoutMs } = binding;
    this.#onTarget = placeOn(services, target, timeoutMs);
    this.#byHand = target === 'auto' ? placeOn(services, 'primary', timeoutMs) : this.#onTarget;
  }

  protected override placeFor(isRead: boolean): Place {
    return isRead ? this.#onTarget : this.#byHand;
  }

  override async transaction<T>(work: Work<T>, config?: MySqlTransactionConfig): Promise<T> {
    const { services, timeoutMs, exactlyOnce } = this.binding;
    const transaction = await OpenTransaction.begin(services, transactionOptions(config, exactlyOnce));
    try {
      const whole = new PartPlace(transaction.tx, timeoutMs);
      const result = await whole.during((place) => work(new DrizzleTransaction(this.binding, place, 0)));
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollBack();
      throw error;
    }
  }
}

/** Runs the queries of one transaction, or of one part of it. */
class PartSession extends BoundSession {
  readonly #place: PartPlace;
  readonly #depth: number;

  constructor(binding: DrizzleBinding, place: PartPlace, depth: number) {
    super(binding);
    this.#place = place;
    this.#depth = depth;
  }

  protected override placeFor(): Place {
    return this.#place;
  }

  /** A part that can fail by itself: a savepoint. */
  override async transaction<T>(work: Work<T>): Promise<T> {
    return await this.#place.savepoint((inner) =>
      work(new DrizzleTransaction(this.binding, inner, this.#depth + 1)),
    );
  }
}

/** What the closure of a transaction works with. */
class DrizzleTransaction extends MySqlTransaction<
  MySql2QueryResultHKT,
  MySql2PreparedQueryHKT,
  Record<string, unknown>,
  TablesRelationalConfig
> {
  readonly #session: PartSession;

  constructor(binding: DrizzleBinding, place: PartPlace, depth: number) {
    const { dialect, schema, mode } = binding;
    const session = new PartSession(binding, place, depth);
    super(dialect, session as unknown as MySqlSession, schema, depth, mode);
    this.#session = session;
  }

  override transaction<T>(work: Work<T>): Promise<T> {
    return this.#session.transaction(work);
  }
}
