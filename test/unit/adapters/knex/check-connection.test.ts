import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConnection, type OwnServer } from '../../../../src/adapters/knex/check-connection.ts';
import { resolveConfig } from '../../../../src/config/resolve.ts';
import { ConfigError } from '../../../../src/index.ts';
import { Deadline } from '../../../../src/resilience/deadline.ts';
import { rejection } from '../../../support/cluster.ts';

const configured = (more: object = {}): OwnServer =>
  resolveConfig({ primary: '192.168.3.99:3307', replicas: [], user: 'shop', password: 'x', ...more });

describe('what Knex’s connection says of the server', () => {
  let dialled = 0;
  const server = createServer(() => {
    dialled += 1;
  });
  let port = 0;

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    port = (server.address() as { port: number }).port;
  });
  afterAll(() => {
    server.close();
  });

  const warningsFor = async (settings: object, { own = configured(), times = 1 } = {}): Promise<string[]> => {
    const warnings: string[] = [];
    const known = new Set<string>();
    for (let i = 0; i < times; i += 1) {
      await checkConnection(settings, own, {
        known,
        deadline: new Deadline(5_000),
        warn: (message) => warnings.push(message),
      });
    }
    return warnings;
  };

  test.each([
    {},
    { host: '192.168.3.99', port: 3307 },
    { host: '192.168.3.99', port: '3307', user: 'shop', password: 'another', ssl: false },
    { user: 'shop', dateStrings: true },
  ])('is nothing to speak of in %j', async (settings) => {
    expect(await warningsFor(settings)).toEqual([]);
  });

  test('is the socket of the cluster', async () => {
    const socketPath = '/run/mysqld/mysqld.sock';
    expect(await warningsFor({ socketPath }, { own: configured({ primary: socketPath }) })).toEqual([]);
  });

  test('is told not to be used, once, after one look at whether anybody answers', async () => {
    const settings = { host: '127.0.0.1', port, user: 'reports' };
    expect(await warningsFor(settings, { times: 3 })).toEqual([
      `connection: 127.0.0.1:${port} is not used; queries go to the cluster, whose primary is 192.168.3.99:3307.`,
      'connection.user is not used; queries go to the cluster, with its account.',
    ]);
    expect(dialled).toBe(1);
  });

  test('fails as the address does at which nobody answers', async () => {
    for (const settings of [{ host: '127.0.0.1', port: 601 }, { socketPath: '/nowhere.sock' }]) {
      expect(await rejection(warningsFor(settings))).toMatchObject({ syscall: 'connect' });
    }
    expect(await rejection(warningsFor({ host: '127.0.0.1', port: 601 }))).toMatchObject({
      message: 'connect ECONNREFUSED 127.0.0.1:601',
      code: 'ECONNREFUSED',
    });
  });

  test('is refused where it asks for TLS that the cluster does not have', async () => {
    const settings = { ssl: { rejectUnauthorized: false } };
    expect(await rejection(warningsFor(settings))).toBeInstanceOf(ConfigError);
    expect(await warningsFor(settings, { own: configured({ ssl: true }) })).toEqual([]);
  });
});
