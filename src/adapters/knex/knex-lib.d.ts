/** The parts of Knex that its typings leave out, as far as they are used here. */

declare module 'knex/lib/dialects/mysql2/index.js' {
  import type { Knex } from 'knex';

  /** Knex's client for mysql2. */
  class ClientMySQL2 extends Knex.Client {
    /** Set on the client of a transaction. */
    readonly transacting?: boolean;
    database(): string | undefined;
    raw(...args: unknown[]): Knex.Raw;
    runner(builder: unknown): unknown;
    acquireRawConnection(): Promise<unknown>;
    destroyRawConnection(connection: unknown): Promise<void>;
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: unknown): Promise<void>;
    cancelQuery(connection?: unknown): Promise<unknown>;
    _wrappedCancelQueryCall(killer: unknown, connection: unknown): Promise<unknown>;
    checkVersion(connection: unknown): Promise<unknown>;
  }
  export = ClientMySQL2;
}

declare module 'knex/lib/dialects/mysql/query/mysql-querybuilder.js' {
  import type { Knex } from 'knex';

  /** Knex's query builder for MySQL. */
  class QueryBuilderMySQL {
    constructor(client: Knex.Client);
    clone(): this;
  }
  export = QueryBuilderMySQL;
}

declare module 'knex/lib/raw.js' {
  import type { Knex } from 'knex';

  interface Raw extends Knex.Raw {
    set(...args: unknown[]): Raw;
  }
  const Raw: new (client: Knex.Client) => Raw;
  export = Raw;
}
