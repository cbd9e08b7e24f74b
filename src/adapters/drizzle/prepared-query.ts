import { NoopCache } from 'drizzle-orm/cache/core';
import type { Logger } from 'drizzle-orm/logger';
import type { MySqlPreparedQueryConfig, SelectedFieldsOrdered } from 'drizzle-orm/mysql-core';
import { type MySql2Client, MySql2PreparedQuery } from 'drizzle-orm/mysql2';
import { fillPlaceholders, type Query } from 'drizzle-orm/sql';
import type { Call } from '../../handles/call.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { callOf, type DriverQueryInput, driverQuery } from '../driver/driver-query.ts';
import { mapResultRow } from './map-row.ts';
import type { Place } from './place.ts';

export interface PreparedQueryParts {
  readonly place: Place;
  readonly driver: DriverOptions;
  readonly logger: Logger;
  readonly query: Query;
  /** What a SELECT of a builder gives; `undefined` for a write, and for SQL that was written by hand. */
  readonly fields: SelectedFieldsOrdered | undefined;
  /** Makes the result of all rows, in place of {@link fields}. */
  readonly mapRows: ((rows: unknown[][]) => unknown) | undefined;
  readonly generatedIds: Record<string, unknown>[] | undefined;
  readonly returningIds: SelectedFieldsOrdered | undefined;
}

/** Drizzle's query for mysql2, with a place of the cluster's instead of a connection. */
export class PreparedQuery<Config extends MySqlPreparedQueryConfig> extends MySql2PreparedQuery<Config> {
  readonly #parts: PreparedQueryParts;
  /** Put here by Drizzle's builders of SELECT. */
  declare readonly joinsNotNullableMap?: Record<string, boolean>;

  constructor(parts: PreparedQueryParts) {
    const { place, driver, query, logger, fields, mapRows, generatedIds, returningIds } = parts;
    const client = {
      query: async (input: DriverQueryInput, values: unknown) => {
        const answer = await place.answer(callFor(input, values, driver));
        return [answer.rows, answer.fields];
      },
    } as unknown as MySql2Client;
    super(
      client,
      query.sql,
      query.params,
      logger,
      new NoopCache(),
      undefined,
      undefined,
      fields,
      mapRows as ((rows: unknown[][]) => Config['execute']) | undefined,
      generatedIds,
      returningIds,
    );
    this.#parts = parts;
  }

  /** Not Drizzle's, which leaves the rest of the rows on the connection of a transaction when it is left early. */
  override async *iterator(
    placeholderValues: Record<string, unknown> = {},
  ): AsyncGenerator<Config['execute'] extends unknown[] ? Config['execute'][number] : Config['execute']> {
    const { place, driver, logger, query, fields, mapRows } = this.#parts;
    const values = fillPlaceholders(query.params, placeholderValues);
    logger.logQuery(query.sql, values);
    const rowsAsArray = fields !== undefined || mapRows !== undefined;
    const input = { sql: query.sql, rowsAsArray, typeCast };
    for await (const row of place.rows(callFor(input, values, driver))) yield this.#resultOf(row) as never;
  }

  #resultOf(row: object): unknown {
    const { fields, mapRows } = this.#parts;
    if (mapRows !== undefined) return [mapRows([row as unknown[]])].flat()[0];
    if (fields === undefined) return row;
    return mapResultRow(fields, row as unknown[], this.joinsNotNullableMap);
  }
}

const textTypes: readonly unknown[] = ['TIMESTAMP', 'DATETIME', 'DATE'];

/** As Drizzle reads columns: moments are text, and its columns make of it what they are declared as. */
function typeCast(field: object, next: () => unknown): unknown {
  const { type, string } = field as { readonly type: string; string(): string | null };
  return textTypes.includes(type) ? string.call(field) : next();
}

function callFor(input: DriverQueryInput, values: unknown, driver: DriverOptions): Call {
  return callOf(driverQuery(input, values, { prepare: false }), driver);
}
