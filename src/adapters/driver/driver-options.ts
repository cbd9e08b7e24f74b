import type { DriverOptions } from '../../pool/driver-reading.ts';

/** Options of a mysql2 connection that keep their meaning: what values become. */
export const valueOptions = [
  'supportBigNumbers',
  'bigNumberStrings',
  'decimalNumbers',
  'dateStrings',
  'jsonStrings',
  'timezone',
  'typeCast',
  'rowsAsArray',
  'nestTables',
  'stringifyObjects',
] as const satisfies readonly (keyof DriverOptions)[];

const known = new WeakMap<object, DriverOptions>();

/**
 * What mysql2 makes of values, by the options of a connection: its own defaults, but for dates, which are read in the
 * time zone that the cluster has set for its sessions. The same object for the same settings.
 */
export function driverOptionsOf(settings: object, timezone: string): DriverOptions {
  const cached = known.get(settings);
  if (cached !== undefined) return cached;
  const given = settings as DriverOptions;
  const options: Record<string, unknown> = { timezone };
  for (const name of valueOptions) {
    if (given[name] !== undefined) options[name] = given[name];
  }
  known.set(settings, options);
  return options;
}
