import { describe, expect, it } from 'vitest';
import type { LabOptions } from '../../../src/testing/index.ts';
import { resolveOptions } from '../../../src/testing/lab-options.ts';

describe('resolveOptions', () => {
  it('fills in two replicas, Redis and semi-sync that does not degrade within an hour', () => {
    expect(resolveOptions({})).toEqual({
      vendor: undefined,
      replicas: 2,
      redis: true,
      semiSync: { timeoutMs: 3_600_000 },
      binaries: {},
      serverOptions: [],
      onProgress: undefined,
    });
  });

  it.each([
    [false, undefined],
    [true, { timeoutMs: 3_600_000 }],
    [{ timeoutMs: 500 }, { timeoutMs: 500 }],
  ])('takes semiSync %j as %j', (semiSync, resolved) => {
    expect(resolveOptions({ semiSync }).semiSync).toEqual(resolved);
  });

  it.each([
    [{ vendor: 'postgres' }, /vendor must be 'mariadb' or 'mysql', not "postgres"/],
    [{ replicas: -1 }, /replicas must be a whole number from 0 to 20, not -1/],
    [{ replicas: 1.5 }, /replicas must be a whole number/],
    [{ semiSync: { timeoutMs: 0 } }, /semiSync.timeoutMs must be a whole number above 0, not 0/],
    [{ replica: 2 }, /unknown option replica; known are vendor, replicas/],
  ])('refuses %j', (options, message) => {
    expect(() => resolveOptions(options as LabOptions)).toThrow(message);
  });
});
