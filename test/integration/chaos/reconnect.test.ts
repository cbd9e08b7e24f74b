import { describe, expect, test } from 'vitest';
import { measureReconnect } from '../../chaos/reconnect.ts';
import { labVendors } from '../../support/lab-vendors.ts';

/** Far above what they take: machines stall. More than this tells of the machine (docs/reliability.md). */
const mostMs = 20_000;

describe.each(labVendors)('a rush of logins on %s', (vendor) => {
  test('forty connections with TLS are all back after the VIP has moved, none refused, no host banned', async () => {
    const returned = await measureReconnect({
      vendor,
      clusters: 8,
      connections: 5,
      processes: 2,
      limitMs: 60_000,
    });
    const { timesMs, missing, refusedLogins, troubles } = returned;
    expect(missing, JSON.stringify(returned)).toBe(0);
    expect(timesMs).toHaveLength(40);
    expect(timesMs.at(-1)).toBeLessThan(mostMs);
    expect(refusedLogins).toBe(0);
    // Neither `host:blocked` nor an error: each write waited for the new primary.
    expect(troubles).toEqual([]);
  }, 180_000);
});
