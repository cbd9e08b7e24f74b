import {
  type Checks,
  checkOptions,
  flag,
  millisecondsOrInfinity,
  oneOf,
} from '../../config/check-options.ts';
import { describeValue } from '../../config/redact.ts';
import { ConfigError, type ConfigIssue } from '../../errors/errors.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { valueOptions } from '../driver/driver-options.ts';
import { charsetProblem } from '../driver/set-up.ts';

/** Where the statements of a pool run. */
export type PoolRole = 'primary' | 'replica';

/** What {@link createPool} may be given. `undefined` counts as absent. */
export interface FacadeOptions extends DriverOptions {
  /** Where statements run. Default `'primary'`. A pool for replicas takes pure reads only. */
  readonly role?: PoolRole | undefined;
  /**
   * Deadline of one statement, and of `getConnection`, in milliseconds, `Infinity` for none. Default: `timeoutMs` of the
   * cluster, within a transaction its `transactionTimeoutMs`; none for the answers to DDL.
   */
  readonly timeoutMs?: number | undefined;
  /** As with mysql2: an object of values is bound to `:name`. Default `false`. */
  readonly namedPlaceholders?: boolean | undefined;
}

const anything = { rule: '', accepts: () => true } as const;

const checks: Checks = {
  role: oneOf('primary', 'replica'),
  timeoutMs: millisecondsOrInfinity,
  namedPlaceholders: flag,
  ...Object.fromEntries(valueOptions.map((name) => [name, anything])),
};

/** @throws {@link ConfigError} */
export function checkFacadeOptions(options: FacadeOptions): void {
  checkOptions(options, checks);
}

/** What an ORM gives for a connection or a pool, as far as it is looked at. */
export interface DriverConfig extends Omit<FacadeOptions, 'role' | 'timeoutMs'> {
  readonly host?: string | undefined;
  readonly database?: string | undefined;
  readonly charset?: string | undefined;
  readonly flags?: string | readonly string[] | undefined;
}

/** Options of mysql2's that would change what a statement is, or what it may do. */
const refused: Readonly<Record<string, string>> = {
  multipleStatements: 'is not possible: vipsql sends one statement at a time',
  queryFormat: 'is not possible: vipsql must know how values are escaped',
  infileStreamFactory: 'is not possible: vipsql sends no local files',
};

/** What is made of the configuration that an ORM gives; address, account and sizes are those of the cluster. */
export interface DriverSettings {
  readonly facade: FacadeOptions;
  readonly database: string | undefined;
  readonly charset: string | undefined;
  /** UPDATE counts the rows that it changed: mysql2's flag `-FOUND_ROWS`. */
  readonly countsChanged: boolean;
}

/** `replicas` are the hosts of those of the cluster. @throws {@link ConfigError} for what vipsql cannot do. */
export function driverSettings(
  config: DriverConfig = {},
  replicas: ReadonlySet<string> = new Set(),
): DriverSettings {
  if (typeof config !== 'object' || (config as { readonly uri?: unknown }).uri !== undefined) {
    const rule = 'must be given by its parts: what a URL says of values would be lost';
    throw new ConfigError([{ path: 'uri', rule, received: 'a URL' }], { subject: 'vipsql/mysql2' });
  }
  const issues: ConfigIssue[] = [];
  const refuse = (name: string, rule: string): void => {
    const received = describeValue((config as Readonly<Record<string, unknown>>)[name], [name]);
    issues.push({ path: name, rule, received });
  };
  for (const [name, value] of Object.entries(config)) {
    const rule = Object.hasOwn(refused, name) ? refused[name] : undefined;
    if (rule !== undefined && value !== undefined && value !== false) refuse(name, rule);
  }
  const { charset, database, flags, host } = config;
  const charsetRule = charsetProblem(charset);
  if (charsetRule !== undefined) refuse('charset', charsetRule);
  const names = flagsOf(flags);
  if (names.some((name) => name !== '-FOUND_ROWS' && name !== 'FOUND_ROWS')) {
    refuse('flags', "may hold 'FOUND_ROWS' or '-FOUND_ROWS' only: vipsql chooses the other capabilities");
  }
  if (issues.length > 0) throw new ConfigError(issues, { subject: 'vipsql/mysql2' });
  const values = [...valueOptions, 'namedPlaceholders'] as const;
  const kept = Object.fromEntries(values.map((name) => [name, config[name]]));
  return {
    facade: { ...kept, role: host === 'replica' || replicas.has(host ?? '') ? 'replica' : 'primary' },
    database,
    charset,
    countsChanged: names.includes('-FOUND_ROWS'),
  };
}

function flagsOf(flags: DriverConfig['flags']): readonly string[] {
  const list = typeof flags === 'string' ? flags.split(',') : (flags ?? []);
  return list.map((name) => name.trim().toUpperCase()).filter((name) => name !== '');
}
