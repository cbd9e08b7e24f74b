import type { ConnectionOptions } from 'mysql2';

/** How values are read, the same for every connection of a cluster. */
export interface TypeConfig {
  /** BIGINT: a number while it is safe and else a bigint; always a bigint; or always a string. */
  readonly bigint: 'auto' | 'bigint' | 'string';
  /** DATETIME and TIMESTAMP: a Date, or the text that the server writes. */
  readonly dates: 'date' | 'string';
  /** The session's time zone as `+HH:MM`, in which DATETIME and TIMESTAMP are read; UTC unless given. */
  readonly timezone?: string;
}

/** The column types that need more than mysql2 does for them (MySQL manual, "Protocol::ColumnType"). */
export const columnTypes = {
  float: 4,
  double: 5,
  timestamp: 7,
  bigint: 8,
  date: 10,
  time: 11,
  datetime: 12,
  vector: 242,
  json: 245,
  decimal: 246,
  blob: 252,
} as const;

/**
 * The mysql2 options that every connection must have for {@link rowDecoder} to be right: no value is rounded, and dates
 * and JSON come as text, so that neither Node's version nor MariaDB's extended metadata changes what a column becomes.
 */
export function mysql2TypeOptions(config: TypeConfig) {
  return {
    supportBigNumbers: true,
    bigNumberStrings: config.bigint === 'string',
    decimalNumbers: false,
    dateStrings: true,
    jsonStrings: true,
    timezone: 'Z',
    typeCast: true,
    rowsAsArray: false,
    nestTables: false,
    namedPlaceholders: false,
    stringifyObjects: true,
    multipleStatements: false,
  } as const satisfies ConnectionOptions;
}
