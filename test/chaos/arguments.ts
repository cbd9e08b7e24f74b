/** A number above 0 from the command line. */
export function positiveNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a number above 0, not ${text}`);
}

/** One of a few words from the command line. */
export function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found !== undefined) return found;
  throw new RangeError(`--${name} must be ${known.join(' or ')}, not ${text}`);
}
