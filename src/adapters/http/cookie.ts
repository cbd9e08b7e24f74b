import type { CookieOptions } from './options.ts';

/** The value of a cookie in a `Cookie` header, of the first one where there are several. */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals === -1 || part.slice(0, equals).trim() !== name) continue;
    return part.slice(equals + 1).trim();
  }
  return undefined;
}

/** A `Set-Cookie` for a value that needs no quotes. `isSecure` holds where the options do not say. */
export function setCookie(name: string, value: string, options: CookieOptions, isSecure: boolean): string {
  const { path = '/', domain, sameSite = 'Lax', httpOnly = true, secure = isSecure, maxAgeMs } = options;
  const parts = [`${name}=${value}`, `Path=${path}`];
  if (domain !== undefined) parts.push(`Domain=${domain}`);
  if (maxAgeMs !== undefined) parts.push(`Max-Age=${Math.floor(maxAgeMs / 1_000)}`);
  if (httpOnly) parts.push('HttpOnly');
  if (secure) parts.push('Secure');
  parts.push(`SameSite=${sameSite}`);
  return parts.join('; ');
}
