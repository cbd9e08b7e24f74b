import { afterAll, beforeAll, describe } from 'vitest';
import { MemcachedStore } from '../../../src/cache/stores/memcached-store.ts';
import { eventually } from '../../support/cluster.ts';
import { hasMemcached, MemcachedServer } from '../../support/memcached-server.ts';
import { describeStore } from '../../support/store-contract.ts';

describe.skipIf(!hasMemcached)('memcached', () => {
  let server: MemcachedServer;

  beforeAll(async () => {
    server = await MemcachedServer.start();
  });
  afterAll(() => server?.stop());

  const openStore = async (): Promise<MemcachedStore> => {
    const store = new MemcachedStore(server.target, { onUp() {}, onDown() {} });
    await eventually('memcached is connected', () => store.life !== undefined);
    return store;
  };

  describeStore('memcached', openStore);
});
