import type {} from 'knex';

/** What every query of a builder or `raw` can say with `vipsql/knex`. */
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
