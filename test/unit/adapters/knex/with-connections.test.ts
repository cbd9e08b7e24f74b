import { describe, expect, test } from 'vitest';
import { withConnections } from '../../../../src/adapters/knex/with-connections.ts';

describe('withConnections', () => {
  const connections = () => {
    const released: unknown[] = [];
    return {
      released,
      acquireConnection: async () => 'mine' as unknown,
      releaseConnection: async (connection: unknown) => {
        released.push(connection);
      },
    };
  };

  test('gives each connection back once', async () => {
    const source = connections();
    const client = withConnections(source, source);
    expect(await client.acquireConnection()).toBe('mine');
    await client.releaseConnection('mine');
    await client.releaseConnection('mine');
    expect(source.released).toEqual(['mine']);
  });

  test('leaves a connection alone that was brought along', async () => {
    const source = connections();
    await withConnections(source, source).releaseConnection('theirs');
    expect(source.released).toEqual([]);
  });

  test('is the client in everything else', () => {
    const source = connections();
    expect(withConnections(source, source).released).toBe(source.released);
  });
});
