import { type Checks, checkOptions, flag, oneOf } from '../../config/check-options.ts';
import { describeValue } from '../../config/redact.ts';
import { ConfigError } from '../../errors/errors.ts';

/** The cookie that carries the token. `undefined` counts as absent. */
export interface CookieOptions {
  /** Default `'vipsql'`. */
  readonly name?: string | undefined;
  /** Default `'/'`. */
  readonly path?: string | undefined;
  /** Default: none, so that only the host that set it gets it back. */
  readonly domain?: string | undefined;
  /** Default `'Lax'`. `'None'` needs `secure: true`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined;
  /** Keeps scripts of the page from reading it. Default `true`. */
  readonly httpOnly?: boolean | undefined;
  /** Default: whether the request came over TLS, as far as the server or the framework can tell. */
  readonly secure?: boolean | undefined;
  /** How long the browser keeps the last token, in whole seconds. Default: until it is closed. */
  readonly maxAgeMs?: number | undefined;
}

/** How requests carry the session on. `undefined` counts as absent. */
export interface HttpSessionOptions {
  /** Default: a cookie with the defaults of {@link CookieOptions}, unless `header` is given. */
  readonly cookie?: CookieOptions | undefined;
  /** Carries the token in this header of requests and responses, instead of a cookie. */
  readonly header?: string | undefined;
  /**
   * What becomes of a request whose token is broken or forged: `'ignore'` goes on without one, `'reject'` answers 400.
   * Default `'ignore'`.
   */
  readonly onInvalid?: 'ignore' | 'reject' | undefined;
}

/** A name in an HTTP header, or of a header: RFC 9110, token. */
const httpToken = /^[\w!#$%&'*+.^`|~-]{1,100}$/;

const attribute = /^[\x20-\x3a\x3c-\x7e]{1,255}$/;

const isText = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);

const cookieChecks: Checks = {
  name: { rule: 'must be a name that a cookie can have', accepts: isText(httpToken) },
  path: { rule: "must be a path without ';'", accepts: isText(attribute) },
  domain: { rule: "must be a domain without ';'", accepts: isText(attribute) },
  sameSite: oneOf('Strict', 'Lax', 'None'),
  httpOnly: flag,
  secure: flag,
  maxAgeMs: {
    rule: 'must be a number of milliseconds from 1000',
    accepts: (value) => typeof value === 'number' && value >= 1_000 && Number.isFinite(value),
  },
};

const checks: Checks = {
  cookie: { rule: 'must be an object', accepts: (value) => typeof value === 'object' && value !== null },
  header: { rule: 'must be a name that a header can have', accepts: isText(httpToken) },
  onInvalid: oneOf('ignore', 'reject'),
};

/** @throws {@link ConfigError} */
export function checkHttpOptions(options: HttpSessionOptions): void {
  checkOptions(options, checks);
  const { cookie, header } = options;
  if (cookie === undefined) return;
  checkOptions(cookie, cookieChecks, 'cookie.');
  if (header !== undefined) throw contradiction('header', 'must not be combined with `cookie`', header);
  if (cookie.sameSite !== 'None' || cookie.secure === true) return;
  throw contradiction('cookie.sameSite', "must not be 'None' without `secure: true`", cookie.sameSite);
}

function contradiction(path: string, rule: string, value: unknown): ConfigError {
  return new ConfigError([{ path, rule, received: describeValue(value) }]);
}
