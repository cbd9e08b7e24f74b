import { ConfigError } from '../../errors/errors.ts';

/** What of mysql2's surface there is not: the name, and what there is instead. */
export type Missing = Readonly<Record<string, string>>;

/** The error of whoever uses it. */
export function unsupported(name: string, instead: string): ConfigError {
  const issue = { path: name, rule: `is not part of vipsql/mysql2: ${instead}`, received: 'a call' };
  return new ConfigError([issue], { subject: 'vipsql/mysql2' });
}

/** Gives a class methods that say that they do not exist, instead of a TypeError that says less. */
export function refuseMethods(prototype: object, missing: Missing): void {
  for (const [name, instead] of Object.entries(missing)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      value: (): never => {
        throw unsupported(name, instead);
      },
    });
  }
}
