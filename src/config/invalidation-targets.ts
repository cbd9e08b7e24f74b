import { type Check, type Checks, checkOptions } from './check-options.ts';

/** Values in the cache: those of the keys, those with one of the tags, and those that follow one of the tables. */
export interface InvalidationTargets {
  readonly keys?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** As `'table'` or `'schema.table'`, among `cache.tables` of the configuration. */
  readonly tables?: readonly string[] | undefined;
}

/** The longest key or tag, in characters. */
export const longestName = 512;
const mostTargets = 1_000;

/** Half a surrogate pair is lost on the way to Redis, and two names would become one. */
export function isName(value: unknown): boolean {
  return (
    typeof value === 'string' && value !== '' && value.length <= longestName && !/\p{Surrogate}/u.test(value)
  );
}

export function namesCheck(most: number): Check {
  return {
    rule: `must be a list of at most ${most} texts of 1 to ${longestName} characters`,
    accepts: (value) => Array.isArray(value) && value.length <= most && value.every(isName),
  };
}

const targetChecks: Checks = {
  keys: namesCheck(mostTargets),
  tags: namesCheck(mostTargets),
  tables: namesCheck(mostTargets),
};

/** Checks what is to be invalidated; `prefix` is where it stands in something larger. @throws {ConfigError} */
export function checkInvalidation(targets: InvalidationTargets, prefix = ''): void {
  checkOptions(targets, targetChecks, prefix);
}
