import { describe, expect, test } from 'vitest';
import { checkKnexConfig, driverOptionsOf } from '../../../../src/adapters/knex/driver-options.ts';
import { checkKnexOptions } from '../../../../src/adapters/knex/options.ts';
import { ConfigError } from '../../../../src/index.ts';

describe('driverOptionsOf', () => {
  test('takes what makes values, and reads dates in the time zone of the sessions', () => {
    const typeCast = (): undefined => undefined;
    expect(
      driverOptionsOf({ host: 'db', password: 'secret', dateStrings: ['DATE'], typeCast }, '+02:00'),
    ).toEqual({
      timezone: '+02:00',
      dateStrings: ['DATE'],
      typeCast,
    });
    expect(driverOptionsOf({ timezone: 'local' }, 'Z')).toEqual({ timezone: 'local' });
  });

  test('gives the same object for the same settings', () => {
    const settings = {};
    expect(driverOptionsOf(settings, 'Z')).toBe(driverOptionsOf(settings, 'Z'));
  });
});

describe('checkKnexConfig', () => {
  const refused = [
    [{ connection: { multipleStatements: true } }, 'connection.multipleStatements'],
    [{ connection: { namedPlaceholders: true } }, 'connection.namedPlaceholders'],
    [{ connection: { queryFormat: () => '' } }, 'connection.queryFormat'],
    [{ connection: { infileStreamFactory: () => '' } }, 'connection.infileStreamFactory'],
    [{ connection: { flags: ['-FOUND_ROWS'] } }, 'connection.flags'],
    [{ connection: { charset: 'latin1' } }, 'connection.charset'],
    [{ connectionPool: {} }, 'connectionPool'],
  ] as const;

  test.each(refused)('refuses %j', (config, path) => {
    expect(() => checkKnexConfig(config)).toThrow(ConfigError);
    expect(() => checkKnexConfig(config)).toThrow(`${path}: `);
  });

  const accepted = [
    {},
    { connection: { multipleStatements: false, host: 'db', user: 'shop', database: 'shop' } },
    { connection: { charset: 'utf8' } },
    { connection: { charset: 'UTF8MB4_UNICODE_CI' } },
    { connection: async () => ({}) },
  ];

  test.each(accepted)('takes %j', (config) => {
    expect(() => checkKnexConfig(config)).not.toThrow();
  });
});

test.each([{ target: 'nearest' }, { timeoutMs: 0 }, { timeoutMs: '5' }, { timeOutMs: 5 }])(
  'checkKnexOptions refuses %j',
  (options) => {
    expect(() => checkKnexOptions(options as never)).toThrow(ConfigError);
  },
);
