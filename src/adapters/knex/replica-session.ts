import type { Readable } from 'node:stream';
import type ClientMySQL2 from 'knex/lib/dialects/mysql2/index.js';
import { describeValue } from '../../config/redact.ts';
import { ConfigError, PrimaryRequiredError } from '../../errors/errors.ts';
import { type Begun, begin } from '../../handles/begin.ts';
import type { Call } from '../../handles/call.ts';
import { createRowStream } from '../../handles/row-stream.ts';
import { pumpOnReplica, runOnReplica } from '../../handles/run-on-replica.ts';
import type { Services } from '../../handles/services.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { driverOptionsOf } from './driver-options.ts';
import { callOf, type DriverQuery } from './driver-query.ts';
import { type DriverAnswer, DriverShape } from './driver-shape.ts';
import type { KnexBinding } from './knex-binding.ts';
import { toKnexError } from './knex-error.ts';

export interface ReplicaSessionParts {
  readonly services: Services;
  readonly driver: DriverOptions;
  /** The limit of each statement, where the caller has set one. */
  readonly timeoutMs: number | undefined;
  /** Tables that Knex's migrations live by. */
  readonly bookkeeping: ReadonlySet<string>;
}

/** What a query on a replica gets for a connection: each of its reads goes to the server that is best at that moment. */
export class ReplicaSession extends DriverShape {
  readonly #parts: ReplicaSessionParts;
  readonly #cancelling = new AbortController();

  constructor(parts: ReplicaSessionParts) {
    super(parts.driver);
    this.#parts = parts;
  }

  /** Stops the read under way. */
  cancel(): void {
    this.#cancelling.abort();
  }

  protected override async answer(query: DriverQuery): Promise<DriverAnswer> {
    let call: Call | undefined;
    try {
      call = this.#callOf(query);
      const { rows, fields } = await runOnReplica(this.#parts.services, this.#begin(), call, undefined);
      return [rows, fields];
    } catch (error) {
      throw toKnexError(error, call?.command.text ?? query.sql);
    }
  }

  protected override rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    const { services } = this.#parts;
    const call = this.#callOf(query);
    const begun = this.#begin();
    const run = pumpOnReplica(services, begun, call, undefined);
    return createRowStream({
      call,
      highWaterMark,
      timeoutMs: begun.timeoutMs,
      signal: undefined,
      run: (pump) =>
        run(pump).catch((error: unknown) => {
          throw toKnexError(error, call.command.text);
        }),
    });
  }

  #begin(): Begun {
    const { services, timeoutMs } = this.#parts;
    return begin(services, 'knex', { timeoutMs, signal: this.#cancelling.signal });
  }

  /** A list of migrations that lags behind would have them run twice. */
  #callOf(query: DriverQuery): Call {
    const call = callOf(query, this.driver);
    const found = call.statement.tables.find(({ name }) => this.#parts.bookkeeping.has(name.toLowerCase()));
    if (found === undefined) return call;
    throw new PrimaryRequiredError(
      `"${found.name}" is read on the primary only: it tells Knex which migrations have run. The statement was not sent. ` +
        'Run migrations with a client that is bound to the primary.',
      { table: found.name },
    );
  }
}

/** Makes what a query on a replica gets for a connection. @throws {@link ConfigError} for another database. */
export async function openReplicaSession(
  client: ClientMySQL2,
  { services, timeoutMs }: KnexBinding,
): Promise<ReplicaSession> {
  const { database, timezone } = services.config.session;
  if (client.connectionSettings === undefined)
    client.connectionSettings = (await client.connectionConfigProvider?.()) ?? {};
  const wanted = client.database();
  if (wanted !== database) {
    const rule = 'must be the database of the cluster for reads on replicas';
    throw new ConfigError([{ path: 'connection.database', rule, received: describeValue(wanted) }]);
  }
  const { tableName = 'knex_migrations' } = client.config.migrations ?? {};
  return new ReplicaSession({
    services,
    driver: driverOptionsOf(client.connectionSettings, timezone),
    timeoutMs,
    bookkeeping: new Set([tableName, `${tableName}_lock`].map((name) => name.toLowerCase())),
  });
}
