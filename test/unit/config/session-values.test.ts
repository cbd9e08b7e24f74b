import { Charsets } from 'mysql2';
import { describe, expect, it, test } from 'vitest';
import {
  charsetRule,
  collationOf,
  tablePatternProblem,
  utcOffset,
} from '../../../src/config/session-values.ts';

describe('collationOf', () => {
  const collations = [...charsetRule.matchAll(/'(\w+)'/g)].map(([, name = '']) => name);

  test.each(collations)('%s is a collation that mysql2 knows', (name) => {
    const collation = collationOf(name) ?? '';
    expect(Charsets).toHaveProperty(collation.toUpperCase());
    expect(collationOf(name.toUpperCase())).toBe(collation);
  });

  it('takes the collation for utf8mb4 that both vendors have', () => {
    expect(collationOf('utf8mb4')).toBe('utf8mb4_general_ci');
  });

  it.each(['utf8', 'utf8mb3', 'latin1', 'utf8mb4_', 'utf8mb4_klingon_ci', ''])('refuses %s', (name) => {
    expect(collationOf(name)).toBeUndefined();
  });
});

describe('utcOffset', () => {
  test.each([
    ['Z', '+00:00'],
    ['+00:00', '+00:00'],
    ['-00:00', '+00:00'],
    ['+05:30', '+05:30'],
    ['-13:59', '-13:59'],
    ['+14:00', '+14:00'],
  ])('reads %s', (text, expected) => {
    expect(utcOffset(text)).toBe(expected);
  });

  it.each(['-14:00', '+14:01', '+1:00', '01:00', '+01:60', 'z', 'UTC', 'local', 'Europe/Berlin', ''])(
    'refuses %s',
    (text) => {
      expect(utcOffset(text)).toBeUndefined();
    },
  );
});

describe('tablePatternProblem', () => {
  it.each(['stock', 'shop.stock', 'inventory_*', '*.stock', 'Bücher', 'a$b', 'my-table'])(
    'accepts %s',
    (pattern) => {
      expect(tablePatternProblem(pattern, 'write it out')).toBeUndefined();
    },
  );

  it.each(['', '*', '*.*', 'a.b.c', '.a', 'a.', 'a b', '`a`', '"a"', 5, null, undefined])(
    'refuses %o',
    (pattern) => {
      expect(tablePatternProblem(pattern, 'write it out')).toMatch(/^must be 'table'/);
    },
  );
});
