import { describe, expect, test } from 'vitest';
import { checkKnexConfig } from '../../../../src/adapters/knex/check-config.ts';
import { checkKnexOptions } from '../../../../src/adapters/knex/options.ts';
import { ConfigError } from '../../../../src/index.ts';

describe('checkKnexConfig', () => {
  const refused = [
    [{ connection: { multipleStatements: true } }, 'connection.multipleStatements'],
    [{ connection: { namedPlaceholders: true } }, 'connection.namedPlaceholders'],
    [{ connection: { queryFormat: () => '' } }, 'connection.queryFormat'],
    [{ connection: { infileStreamFactory: () => '' } }, 'connection.infileStreamFactory'],
    [{ connection: { flags: ['-FOUND_ROWS'] } }, 'connection.flags'],
    [{ connection: { uri: 'mysql://db/shop' } }, 'connection.uri'],
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
