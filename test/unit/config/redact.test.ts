import { describe, expect, it, test } from 'vitest';
import { describeValue, isSecretName, redactText, redactUrl } from '../../../src/config/redact.ts';

describe('redactUrl', () => {
  test.each([
    ['mysql://shop:secret@db:3306/shop', 'mysql://shop:[redacted]@db:3306/shop'],
    ['mysql://shop@db', 'mysql://shop@db'],
    ['mysql://db:3306/shop', 'mysql://db:3306/shop'],
    ['mysql://shop:se@cr/e:t@db', 'mysql://shop:[redacted]@db'],
    ['mysql://shop:secret@db?password=secret', 'mysql://shop:[redacted]@db?[redacted]'],
    ['mysql://shop:se?cret@db', 'mysql://shop:[redacted]@db'],
    ['shop:secret@db', 'shop:[redacted]@db'],
  ])('%s becomes %s', (text, expected) => {
    expect(redactUrl(text)).toBe(expected);
  });
});

describe('redactText', () => {
  it('hides the passwords of URLs within a text', () => {
    expect(redactText('tried mysql://a:b@c and redis://:d@e, failed')).toBe(
      'tried mysql://a:[redacted]@c and redis://:[redacted]@e, failed',
    );
  });
});

describe('isSecretName', () => {
  it.each([
    'password',
    'passwrod',
    'passwd',
    'pass',
    'PASSPHRASE',
    'pwd',
    'dbPassword',
    'secret',
    'apiToken',
    'key',
  ])('says yes to %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['user', 'host', 'database', 'keyboard'])('says no to %s', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('describeValue', () => {
  test.each<readonly [unknown, string]>([
    [undefined, 'nothing'],
    [null, 'null'],
    ['text', "'text'"],
    ['mysql://u:p@h', "'mysql://u:[redacted]@h'"],
    [5, '5'],
    [Number.NaN, 'NaN'],
    [5n, '5n'],
    [true, 'true'],
    [() => {}, 'a function'],
    [Symbol('x'), 'a symbol'],
    [new Date(0), 'a Date'],
    [Buffer.from('x'), 'binary data'],
    [[1, 'a', { b: 'c' }, 4], "[1, 'a', an object with b, …]"],
    [{ host: 'h', password: 'secret' }, 'an object with host, password'],
    [{}, 'an object with no keys'],
  ])('%o becomes %s', (value, expected) => {
    expect(describeValue(value)).toBe(expected);
  });

  it('hides whatever lies under a secret name', () => {
    expect(describeValue('hunter2', ['replicas', 0, 'password'])).toBe('[redacted]');
    expect(describeValue(['hunter2'], ['ssl', 'key', 0])).toBe('[redacted]');
  });

  it('shortens long values', () => {
    expect(describeValue('x'.repeat(500)).length).toBeLessThan(90);
    expect(
      describeValue(Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, i]))).length,
    ).toBeLessThan(120);
  });
});
