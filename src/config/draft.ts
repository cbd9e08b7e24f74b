import { isProblem, type ParsedAddress, parseAddress, socketEndpoint, tcpEndpoint } from './address.ts';
import { type NumberFacts, type NumberOption, numberOptions } from './defaults.ts';
import { isAllowedNumber } from './schema.ts';
import type { Password } from './types.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One entry of `replicas` or `masters`, or `primary`: where it leads and what its URL or object says besides. */
export interface Entry extends Partial<Omit<ParsedAddress, 'password'>> {
  readonly dns?: string;
  readonly password?: Password;
  /** The object that was given; empty for a text. */
  readonly fields: Fields;
}

/**
 * Reads a configuration of which some parts may be wrong: what is wrong is `undefined`, so that the rules over several
 * options can be checked along with the rest and all mistakes be reported at once.
 */
export class Draft {
  readonly fields: Fields;

  constructor(input: unknown) {
    this.fields = asFields(input);
  }

  /** What was given at a path of names. */
  given(path: string): unknown {
    return path.split('.').reduce<unknown>((value, name) => asFields(value)[name], this.fields);
  }

  text(path: string): string | undefined {
    const value = this.given(path);
    return typeof value === 'string' ? value : undefined;
  }

  /** The number in force: the given one, else `fallback`, else the default; `undefined` when the given one is wrong. */
  number(path: NumberOption, fallback?: number): number | undefined {
    const value = this.given(path);
    return value === undefined ? (fallback ?? numberOptions[path].default) : allowed(path, value);
  }

  /** A pool number of one role, where the role's own goes before the common one. */
  poolNumber(role: 'primary' | 'replica', name: PoolNumber, fallback?: number): number | undefined {
    const own = this.given(`pool.${role}.${name}`);
    return own === undefined ? this.number(`pool.${name}`, fallback) : allowed(`pool.${name}`, own);
  }

  get primary(): Entry | undefined {
    return readEntry(this.given('primary'));
  }

  /** The entries of `replicas`, each at its index. */
  get replicas(): readonly (Entry | undefined)[] {
    return this.#list('replicas');
  }

  /** The entries of `masters`, each at its index. */
  get masters(): readonly (Entry | undefined)[] {
    return this.#list('masters');
  }

  #list(name: 'masters' | 'replicas'): readonly (Entry | undefined)[] {
    const list = this.fields[name];
    return Array.isArray(list) ? list.map(readEntry) : [];
  }
}

export type PoolNumber = 'max' | 'min' | 'idleMs' | 'maxLifetimeMs' | 'maxWaiting';

function allowed(path: NumberOption, value: unknown): number | undefined {
  const facts: NumberFacts = numberOptions[path];
  return typeof value === 'number' && isAllowedNumber(facts, value) ? value : undefined;
}

function readEntry(value: unknown): Entry | undefined {
  if (typeof value === 'string') {
    const parsed = parseAddress(value);
    return isProblem(parsed) ? undefined : { ...parsed, fields: {} };
  }
  const fields = asFields(value);
  const { host, socketPath, dns, name, user, password } = fields;
  const port =
    fields.port === undefined
      ? numberOptions['replicas[].port'].default
      : allowed('replicas[].port', fields.port);
  if (port === undefined) return undefined;
  const label = typeof name === 'string' ? name : undefined;
  const rest = {
    fields,
    ...(typeof user === 'string' && { user }),
    ...(isPassword(password) && { password }),
  };
  if (typeof dns === 'string') return { ...rest, dns };
  if (typeof host === 'string') return { ...rest, endpoint: tcpEndpoint(host, port, label) };
  return typeof socketPath === 'string'
    ? { ...rest, endpoint: socketEndpoint(socketPath, label) }
    : undefined;
}

export function isPassword(value: unknown): value is Password {
  return typeof value === 'string' || typeof value === 'function';
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
