import { describe, expect, test } from 'vitest';
import { driverSettings } from '../../../../src/adapters/mysql2/options.ts';

test('a host that is called replica means reads on replicas, every other one the primary', () => {
  expect(driverSettings({ host: 'replica' }).facade.role).toBe('replica');
  expect(driverSettings({ host: 'db.example.org' }).facade.role).toBe('primary');
  expect(driverSettings({ host: 'db.example.org' }, new Set(['db.example.org'])).facade.role).toBe('replica');
  expect(driverSettings().facade.role).toBe('primary');
});

test.each([
  ['-FOUND_ROWS', true],
  [['-found_rows'], true],
  ['FOUND_ROWS', false],
  [undefined, false],
])('flags of %j count the rows that were changed: %j', (flags, countsChanged) => {
  expect(driverSettings({ flags }).countsChanged).toBe(countsChanged);
});

test('what says how values are read and written is kept', () => {
  const { facade } = driverSettings({ bigNumberStrings: true, timezone: 'Z', stringifyObjects: true });
  expect(facade).toMatchObject({ bigNumberStrings: true, timezone: 'Z', stringifyObjects: true });
});

describe('refused is', () => {
  test.each([
    ['a URL', 'mysql://app:secret@db/shop'],
    ['a URL as an option', { uri: 'mysql://app:secret@db/shop' }],
    ['more than one statement at a time', { multipleStatements: true }],
    ['another character set', { charset: 'latin1' }],
    ['another capability', { flags: '+LOCAL_FILES' }],
  ])('%s, without showing a password', (_, given) => {
    const refused = (): unknown => driverSettings(given as never);
    expect(refused).toThrow(expect.objectContaining({ code: 'VIPSQL_CONFIG' }));
    expect(refused).not.toThrow(/secret/);
  });
});
