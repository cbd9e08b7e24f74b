import { ConfigError, type ConfigIssue } from '../errors/errors.ts';
import { describeValue } from './redact.ts';
import { nearest } from './suggest.ts';

/** What a value has to be. */
export interface Check {
  readonly rule: string;
  readonly accepts: (value: unknown) => boolean;
}

export type Checks = Readonly<Record<string, Check>>;

/** The longest time that Node's timers can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

export const flag: Check = { rule: 'must be true or false', accepts: (value) => typeof value === 'boolean' };

/** A time that there is. */
export const milliseconds: Check = {
  rule: `must be a number of milliseconds from 1 to ${longestTimeoutMs}`,
  accepts: (value) => typeof value === 'number' && value >= 1 && value <= longestTimeoutMs,
};

/** A time that may also be none at all. */
export const millisecondsOrNone: Check = {
  rule: `must be a number of milliseconds from 0 to ${longestTimeoutMs}`,
  accepts: (value) => value === 0 || milliseconds.accepts(value),
};

/** A time that may also have no end. */
export const millisecondsOrInfinity: Check = {
  rule: `${milliseconds.rule}, or Infinity`,
  accepts: (value) => value === Number.POSITIVE_INFINITY || milliseconds.accepts(value),
};

export const abortSignal: Check = {
  rule: 'must be an AbortSignal',
  accepts: (value) => value instanceof AbortSignal,
};

export const token: Check = { rule: 'must be a token', accepts: (value) => typeof value === 'string' };

/** One of two texts or more. */
export function oneOf(...texts: readonly string[]): Check {
  const quoted = texts.map((text) => `'${text}'`);
  return {
    rule: `must be ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    accepts: (value) => typeof value === 'string' && texts.includes(value),
  };
}

/** What a {@link ConfigError} about them begins with. */
export const subject = 'options of a call';

/** Checks the options of anything, at `prefix` of something larger. @throws {ConfigError} */
export function checkOptions(options: object, checks: Checks, prefix = ''): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const rule = 'must be an object';
    throw new ConfigError([{ path: 'options', rule, received: describeValue(options) }], { subject });
  }
  let issues: ConfigIssue[] | undefined;
  for (const name in options) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || (Object.hasOwn(checks, name) && checks[name]?.accepts(value) === true))
      continue;
    issues ??= [];
    issues.push({
      path: `${prefix}${name}`,
      rule: checks[name]?.rule ?? unknownRule(name, checks),
      received: describeValue(value, [name]),
    });
  }
  if (issues !== undefined) throw new ConfigError(issues, { subject });
}

function unknownRule(name: string, checks: Checks): string {
  const known = Object.keys(checks);
  const near = nearest(name, known);
  return near === undefined
    ? `is not an option; there are ${known.map((option) => `\`${option}\``).join(', ')}`
    : `is not an option; did you mean \`${near}\`?`;
}
