import { inspect } from 'node:util';

const hidden = '[redacted]';

const longestShownText = 80;
const longestShownList = 3;

const secretName =
  /(?<!by)pass(?:word|wd|phrase|wrod)?$|^pwd$|secret|token|^key$|^cert$|^ca$|^pfx$|credential|^auth$/i;

/** Whether an option of this name holds a secret, spelt rightly or nearly so. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/**
 * Hides what stands between `://` and the last `@` after the user's name, and the values behind `?`, of a URL that may
 * be malformed: `mysql://shop:p@ss/word@db/x?password=1` becomes `mysql://shop:[redacted]@db/x?[redacted]`.
 */
export function redactUrl(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  let rest = text.slice(scheme.length);
  if (at >= scheme.length) {
    const login = text.slice(scheme.length, at);
    const colon = login.indexOf(':');
    const user = colon === -1 ? login : login.slice(0, colon);
    rest = `${user}${colon === -1 ? '' : `:${hidden}`}${text.slice(at)}`;
  }
  return scheme + rest.replace(/[?#].*$/s, (tail) => `${tail.charAt(0)}${hidden}`);
}

/** Hides the passwords of all URLs within a text, as in messages of other libraries. */
export function redactText(text: string): string {
  return text.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, redactUrl);
}

/**
 * A received value as an error may show it: short, and without secrets. `path` is where it was found; what lies at or
 * under a secret name is hidden.
 */
export function describeValue(value: unknown, path: readonly PropertyKey[] = []): string {
  if (value === undefined) return 'nothing';
  if (path.some((segment) => typeof segment === 'string' && isSecretName(segment))) return hidden;
  switch (typeof value) {
    case 'string':
      return `'${shorten(value.includes('@') || value.includes('://') ? redactUrl(value) : value)}'`;
    case 'function':
      return 'a function';
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return 'a symbol';
    case 'object':
      return value === null ? 'null' : describeObject(value, path);
    default:
      return String(value);
  }
}

function describeObject(value: object, path: readonly PropertyKey[]): string {
  if (value instanceof Date) return 'a Date';
  if (ArrayBuffer.isView(value)) return 'binary data';
  if (Array.isArray(value)) {
    const shown = value.slice(0, longestShownList).map((item) => describeValue(item, path));
    return `[${shown.join(', ')}${value.length > longestShownList ? ', …' : ''}]`;
  }
  const names = Object.keys(value);
  return `an object with ${names.length === 0 ? 'no keys' : shorten(names.join(', '))}`;
}

function shorten(text: string): string {
  return text.length <= longestShownText ? text : `${text.slice(0, longestShownText - 1)}…`;
}

/** Makes `console.log`, `util.inspect` and `JSON.stringify` show the object without its secrets; returns the object. */
export function conceal<T extends object>(object: T): T {
  const shown = (): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(object).map(([name, value]) => [
        name,
        value !== undefined && isSecretName(name) ? hidden : value,
      ]),
    );
  Object.defineProperty(object, inspect.custom, { value: shown });
  Object.defineProperty(object, 'toJSON', { value: shown });
  return object;
}
