import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { checkServer, contradictions, type OwnServer } from '../../../../src/adapters/knex/check-server.ts';
import { resolveConfig } from '../../../../src/config/resolve.ts';
import { ConfigError } from '../../../../src/index.ts';
import { Deadline } from '../../../../src/resilience/deadline.ts';
import { rejection } from '../../../support/cluster.ts';

const configured = (more: object = {}): OwnServer =>
  resolveConfig({ primary: '192.168.3.99:3307', replicas: [], user: 'shop', password: 'x', ...more });

describe('contradictions', () => {
  const accepted = [
    {},
    { host: '192.168.3.99', port: 3307 },
    { host: '192.168.3.99', port: '3307', user: 'shop', password: 'another', ssl: false },
    { user: 'shop', dateStrings: true },
  ];

  test.each(accepted)('are none in %j', (settings) => {
    expect(contradictions(settings, configured())).toEqual([]);
  });

  const refused = [
    [{ host: '192.168.3.98', port: 3307 }, ['connection.host']],
    [{ host: '192.168.3.99' }, ['connection.host']],
    [{ port: 3307 }, ['connection.port']],
    [{ socketPath: '/run/mysqld/mysqld.sock' }, ['connection.socketPath']],
    [{ user: 'reports' }, ['connection.user']],
    [{ ssl: { rejectUnauthorized: false } }, ['connection.ssl']],
    [
      { host: 'elsewhere', user: 'reports', ssl: 'Amazon RDS' },
      ['host', 'user', 'ssl'].map((name) => `connection.${name}`),
    ],
  ] as const;

  test.each(refused)('are told of %j', (settings, paths) => {
    expect(contradictions(settings, configured()).map(({ path }) => path)).toEqual(paths);
  });

  test('are none where TLS is asked for that the cluster has', () => {
    expect(contradictions({ ssl: 'Amazon RDS' }, configured({ ssl: true }))).toEqual([]);
  });

  test('are none with a socket that is the cluster’s', () => {
    const socketPath = '/run/mysqld/mysqld.sock';
    expect(contradictions({ socketPath }, configured({ primary: socketPath }))).toEqual([]);
    expect(contradictions({ host: 'localhost' }, configured({ primary: socketPath }))).toHaveLength(1);
  });
});

describe('checkServer', () => {
  const check = (settings: object, strangers = new Set<string>()): Promise<void> =>
    checkServer(settings, configured(), { strangers, deadline: new Deadline(5_000) });

  test('fails as the address does at which nobody answers, and says why that was looked at', async () => {
    const error = await rejection(check({ host: '127.0.0.1', port: 601 }));
    expect(error).toMatchObject({ message: 'connect ECONNREFUSED 127.0.0.1:601', code: 'ECONNREFUSED' });
    expect((error as Error).cause).toBeInstanceOf(ConfigError);
  });

  test('refuses an address at which somebody answers, after one look', async () => {
    let dialled = 0;
    const server = createServer(() => {
      dialled += 1;
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { port: number };
    const strangers = new Set<string>();
    for (let i = 0; i < 3; i += 1) {
      const error = await rejection(check({ host: '127.0.0.1', port }, strangers));
      expect(error).toBeInstanceOf(ConfigError);
      expect(String(error)).toContain('must be the primary of the cluster, 192.168.3.99:3307');
    }
    await new Promise((resolve) => {
      server.close(resolve);
    });
    expect(dialled).toBe(1);
  });

  test('dials nobody for another account', async () => {
    expect(await rejection(check({ user: 'reports' }))).toBeInstanceOf(ConfigError);
  });
});
