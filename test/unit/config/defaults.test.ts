import { describe, expect, it, test } from 'vitest';
import { type NumberFacts, numberOptions, options } from '../../../src/config/defaults.ts';
import { isAllowedNumber } from '../../../src/config/schema.ts';

describe('the table of options', () => {
  test.each(Object.entries(options))('%s says in one sentence what it does', (_, { effect, off, type }) => {
    expect(effect).toMatch(/^[A-Z`].*\.$/);
    expect([off, type]).not.toContain('');
  });

  test.each(Object.entries(numberOptions) as [string, NumberFacts][])(
    '%s has a default that may be given',
    (path, facts) => {
      expect(isAllowedNumber(facts, facts.default), path).toBe(true);
      expect(facts.type === 'ms').toBe(path.endsWith('Ms'));
    },
  );

  it('names the section of every option', () => {
    const sections = Object.keys(options)
      .filter((path) => path.includes('.'))
      .map((path) => path.slice(0, path.lastIndexOf('.')).replace('[]', ''));
    expect(sections.filter((path) => !(path in options))).toEqual([]);
  });
});
