import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { chooseAddresses } from '../../../src/testing/addresses.ts';

describe('chooseAddresses', () => {
  it('gives each server, the VIP and Redis an address of its own, outside the ephemeral ports', async () => {
    const { vip, servers, redis } = await chooseAddresses(4);
    const all = [vip, redis, ...servers];
    expect(new Set(all.map(({ host, port }) => `${host}:${port}`)).size).toBe(6);
    for (const { port } of all) expect(port).toBeLessThan(32_768);
  });

  it.runIf(process.platform === 'linux')(
    'gives every lab the same port on a network of its own',
    async () => {
      const [one, other] = await Promise.all([chooseAddresses(2), chooseAddresses(2)]);
      expect(one.servers.map(({ port }) => port)).toEqual([one.vip.port, one.vip.port]);
      expect(one.vip.host).not.toBe(other.vip.host);
    },
  );

  it.runIf(process.platform === 'linux')(
    'takes another port where 3306 is taken on every address',
    async () => {
      const everywhere = createServer();
      const taken = await new Promise<boolean>((resolve) => {
        everywhere.once('error', () => resolve(true));
        everywhere.listen(3306, '0.0.0.0', () => resolve(false));
      });
      try {
        const { vip } = await chooseAddresses(2);
        // Whoever listens at one address of loopback alone is not in the way.
        if (!taken) expect(vip.port).not.toBe(3306);
        expect(vip.port).toBeGreaterThan(1_024);
      } finally {
        everywhere.close();
      }
    },
  );
});
