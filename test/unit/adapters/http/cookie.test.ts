import { describe, expect, test } from 'vitest';
import { cookieIn, setCookie } from '../../../../src/adapters/http/cookie.ts';
import { checkHttpOptions } from '../../../../src/adapters/http/options.ts';
import { maxTokenLength } from '../../../../src/consistency/token.ts';
import { ConfigError } from '../../../../src/errors/errors.ts';

describe('a cookie is found', () => {
  test.each([
    ['vipsql=v1.a', 'v1.a'],
    ['a=1; vipsql=v1.a; b=2', 'v1.a'],
    ['a=1;vipsql = v1.a ', 'v1.a'],
    ['vipsql=v1.a; vipsql=v1.b', 'v1.a'],
    ['vipsql=a=b', 'a=b'],
    ['vipsql=', ''],
    ['xvipsql=v1.a; vipsqlx=v1.b', undefined],
    ['vipsql', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('in %j as %j', (header, value) => {
    expect(cookieIn(header, 'vipsql')).toBe(value);
  });
});

describe('a cookie is set', () => {
  test('with attributes that keep it from scripts and other sites', () => {
    expect(setCookie('vipsql', 'v1.a', {}, false)).toBe('vipsql=v1.a; Path=/; HttpOnly; SameSite=Lax');
    expect(setCookie('vipsql', 'v1.a', {}, true)).toBe('vipsql=v1.a; Path=/; HttpOnly; Secure; SameSite=Lax');
  });

  test('with those that are chosen', () => {
    const options = {
      path: '/shop',
      domain: 'example.org',
      sameSite: 'None',
      httpOnly: false,
      secure: true,
      maxAgeMs: 90_500,
    } as const;
    expect(setCookie('t', 'v1.a', options, false)).toBe(
      't=v1.a; Path=/shop; Domain=example.org; Max-Age=90; Secure; SameSite=None',
    );
    expect(setCookie('t', 'v1.a', { secure: false }, true)).not.toContain('Secure');
  });

  test('within the 4 096 bytes that a browser keeps', () => {
    const longest = { path: 'p'.repeat(255), domain: 'd'.repeat(255), maxAgeMs: Number.MAX_SAFE_INTEGER };
    const line = setCookie('n'.repeat(100), 't'.repeat(maxTokenLength), longest, true);
    expect(line.length).toBeLessThan(4_096);
  });
});

describe('options', () => {
  test.each([
    {},
    { cookie: {} },
    { header: 'x-session-token' },
    { cookie: { sameSite: 'None', secure: true, maxAgeMs: 60_000 }, onInvalid: 'reject' },
  ] as const)('%j may be used', (options) => {
    expect(() => checkHttpOptions(options)).not.toThrow();
  });

  test.each([
    [{ cookie: { name: 'a b' } }, 'cookie.name'],
    [{ cookie: { path: '/; Secure' } }, 'cookie.path'],
    [{ cookie: { domain: 'a\r\nb' } }, 'cookie.domain'],
    [{ cookie: { maxAgeMs: 10 } }, 'cookie.maxAgeMs'],
    [{ cookie: { maxAge: 10 } }, 'cookie.maxAge'],
    [{ cookie: { sameSite: 'None' } }, 'cookie.sameSite'],
    [{ cookie: { sameSite: 'lax' } }, 'cookie.sameSite'],
    [{ header: 'a:b' }, 'header'],
    [{ cookie: {}, header: 'x-token' }, 'header'],
    [{ onInvalid: 'throw' }, 'onInvalid'],
  ])('%j are refused by the name of %s', (options, path) => {
    const refused = (): void => checkHttpOptions(options as Parameters<typeof checkHttpOptions>[0]);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(path);
  });
});
