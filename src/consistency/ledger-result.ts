/** The longest result that the ledger keeps, in bytes of JSON: what a TEXT column holds. */
export const longestResultBytes = 65_535;

/** What a closure gave, as the ledger keeps it, or why it cannot. */
export type StoredResult =
  | { readonly json: string | undefined }
  /** `problem` ends the sentence "the result …". */
  | { readonly problem: string };

/**
 * Turns a result into what a repeat with the same key will be given. Only what JSON gives back as it was is taken:
 * a Date that is a text the second time would be found out too late.
 */
export function storeResult(result: unknown): StoredResult {
  if (result === undefined) return { json: undefined };
  const misfit = findMisfit(result, 'result', new Set());
  if (misfit !== undefined) return { problem: misfit };
  const json = JSON.stringify(result);
  const size = Buffer.byteLength(json);
  if (size > longestResultBytes)
    return { problem: `takes ${size} bytes of JSON; ${longestResultBytes} are kept` };
  return { json };
}

/** The reverse of {@link storeResult}. */
export function restoreResult(json: string | null): unknown {
  return json === null ? undefined : JSON.parse(json);
}

function findMisfit(value: unknown, path: string, above: ReadonlySet<object>): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `has ${value} at ${path}, which JSON does not know`;
    case 'object':
      return value === null ? undefined : misfitInside(value, path, above);
    default:
      return `has a ${typeof value} at ${path}, which JSON does not know`;
  }
}

function misfitInside(value: object, path: string, above: ReadonlySet<object>): string | undefined {
  if (above.has(value)) return `contains itself at ${path}`;
  const inner = new Set(above).add(value);
  if (Array.isArray(value)) {
    return firstOf(value.map((item, index) => () => findMisfit(item, `${path}[${index}]`, inner)));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return `has a ${value.constructor.name} at ${path}, which JSON does not give back as it was`;
  }
  const hidden = Object.getOwnPropertyNames(value).find((name) => !Object.hasOwn({ ...value }, name));
  if (hidden !== undefined) return `has ${path}.${hidden}, which JSON would leave out`;
  return firstOf(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(
        ([name, item]) =>
          () =>
            findMisfit(item, `${path}.${name}`, inner),
      ),
  );
}

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}
