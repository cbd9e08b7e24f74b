/** Where a value lies in a larger one. */
export type Path = readonly (string | number)[];

const deepest = 100;

/**
 * Finds out whether a value comes back from the codec as it was: null, undefined, booleans, numbers, bigints, texts,
 * Dates, Buffers, and plain arrays and objects of these. Returns where a negative zero stands, which the format does
 * not know; `undefined` when something would come back as something else.
 */
export function negativeZeros(value: unknown): readonly Path[] | undefined {
  const found: Path[] = [];
  return isExact(value, [], found) ? found : undefined;
}

function isExact(value: unknown, path: (string | number)[], found: Path[]): boolean {
  switch (typeof value) {
    case 'number':
      if (Object.is(value, -0)) found.push([...path]);
      return true;
    case 'string':
      return isWellFormed(value);
    case 'undefined':
    case 'boolean':
    case 'bigint':
      return true;
    case 'object':
      return value === null || isExactObject(value, path, found);
    default:
      return false;
  }
}

function isExactObject(value: object, path: (string | number)[], found: Path[]): boolean {
  if (path.length >= deepest) return false;
  const isExactAt = (key: string | number, inner: unknown): boolean => {
    path.push(key);
    const exact = isExact(inner, path, found);
    path.pop();
    return exact;
  };
  switch (Object.getPrototypeOf(value)) {
    case Object.prototype:
      return (
        Object.getOwnPropertySymbols(value).length === 0 &&
        Object.entries(value).every(
          ([key, inner]) => key !== '__proto__' && isWellFormed(key) && isExactAt(key, inner),
        )
      );
    case Array.prototype: {
      const items = value as readonly unknown[];
      return (
        Object.keys(items).length === items.length && items.every((inner, index) => isExactAt(index, inner))
      );
    }
    case Date.prototype:
    case Buffer.prototype:
      return true;
    default:
      return false;
  }
}

/** Half a pair of surrogates does not survive UTF-8. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** A value like that, which shares nothing with it that could be changed. Only for what {@link negativeZeros} accepts. */
export function copyOf<T>(value: T): T;
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  if (value instanceof Date) return new Date(value.getTime());
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const inner = copy[key];
    if (typeof inner === 'object' && inner !== null) copy[key] = copyOf(inner);
  }
  return copy;
}
