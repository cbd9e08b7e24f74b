import QueryBuilderMySQL from 'knex/lib/dialects/mysql/query/mysql-querybuilder.js';
import KnexRaw from 'knex/lib/raw.js';
import { setTarget, targetOf } from './query-target.ts';

/** What every query of `vipsql/knex` can say. */
export interface TargetedQuery {
  /**
   * Runs the query on a replica, where it may be a little old outside of a session. Anything but a pure read, and a
   * read of a `primaryOnly` table, is refused. Within a transaction it runs on the primary with the rest of it.
   */
  replica(): this;
  /** Runs the query on the primary, also where the client's `target` is `'replica'`. */
  primary(): this;
}

declare module 'knex' {
  namespace Knex {
    interface QueryBuilder<TRecord extends {}, TResult> extends TargetedQuery {}
    interface Raw<TResult> extends TargetedQuery {}
  }
}

export class TargetedQueryBuilder extends QueryBuilderMySQL implements TargetedQuery {
  replica(): this {
    setTarget(this, 'replica');
    return this;
  }

  primary(): this {
    setTarget(this, 'primary');
    return this;
  }

  override clone(): this {
    const cloned = super.clone();
    const target = targetOf(this);
    if (target !== undefined) setTarget(cloned, target);
    return cloned;
  }
}

export class TargetedRaw extends KnexRaw implements TargetedQuery {
  replica(): this {
    setTarget(this, 'replica');
    return this;
  }

  primary(): this {
    setTarget(this, 'primary');
    return this;
  }
}
