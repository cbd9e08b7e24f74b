import type { ConnectionOptions, Connection as RawConnection } from 'mysql2';

/** What mysql2 takes as a column's reader: gets the column, and reads it the usual way. */
export type TypeCast = Exclude<NonNullable<ConnectionOptions['typeCast']>, boolean>;

/** The options of a mysql2 connection that decide what values become, under mysql2's own names. */
export interface DriverOptions {
  /** As with mysql2. Default `false`. */
  readonly supportBigNumbers?: boolean | undefined;
  /** As with mysql2. Default `false`. */
  readonly bigNumberStrings?: boolean | undefined;
  /** As with mysql2. Default `false`. */
  readonly decimalNumbers?: boolean | undefined;
  /** As with mysql2. Default `false`. */
  readonly dateStrings?: boolean | readonly string[] | undefined;
  /** As with mysql2. Default `false`. */
  readonly jsonStrings?: boolean | undefined;
  /** As with mysql2: the zone in which dates are read and written. Default: that of the cluster's sessions. */
  readonly timezone?: string | undefined;
  /** As with mysql2. Default `true`. */
  readonly typeCast?: boolean | TypeCast | undefined;
  /** As with mysql2. Default `false`. */
  readonly rowsAsArray?: boolean | undefined;
  /** As with mysql2. Default `false`. */
  readonly nestTables?: boolean | string | undefined;
  /** As with mysql2. Default `false`. */
  readonly stringifyObjects?: boolean | undefined;
}

/** mysql2 is to make the values of an answer, as it does on a connection with these options. */
export interface DriverReading {
  /** The same object for the same options, since what is derived from them is kept by it. */
  readonly options: DriverOptions;
  /** Options of this one query. */
  readonly query?: Readonly<Record<string, unknown>> | undefined;
}

/** mysql2's own defaults, for what vipsql sets otherwise on every connection. */
const driverDefaults = {
  supportBigNumbers: false,
  bigNumberStrings: false,
  decimalNumbers: false,
  dateStrings: false,
  jsonStrings: false,
  typeCast: true,
  stringifyObjects: false,
} as const satisfies DriverOptions;

/** mysql2 looks into the settings of its connection anew for each answer; the one per connection that changes them. */
export class DriverSettings {
  readonly #raw: { config: object };
  readonly #own: object;
  readonly #derived = new WeakMap<DriverOptions, object>();

  constructor(raw: RawConnection) {
    this.#raw = raw as unknown as { config: object };
    this.#own = this.#raw.config;
  }

  /** To be called before each statement: how its answer is read. */
  use(reading: DriverReading | undefined): void {
    this.#raw.config = reading === undefined ? this.#own : this.#settingsFor(reading.options);
  }

  #settingsFor(options: DriverOptions): object {
    const known = this.#derived.get(options);
    if (known !== undefined) return known;
    const prototype = Object.getPrototypeOf(this.#own) as object;
    const settings = Object.assign(Object.create(prototype) as object, this.#own, driverDefaults, options);
    this.#derived.set(options, settings);
    return settings;
  }
}
