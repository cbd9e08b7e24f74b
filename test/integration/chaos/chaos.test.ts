import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChaosOptions, type ChaosResult, runChaos } from '../../chaos/chaos.ts';
import { type OpenLab, openLab } from '../../chaos/open-lab.ts';
import { standardRates } from '../../chaos/rates.ts';
import { isClean, renderReport } from '../../chaos/report.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('chaos on %s', (vendor) => {
  let open: OpenLab;

  beforeAll(async () => {
    open = await openLab('embedded', { vendor });
  });

  afterAll(() => open[Symbol.asyncDispose]());

  const run = (options: Partial<ChaosOptions>): Promise<ChaosResult> =>
    runChaos({
      ...open,
      client: 'vipsql',
      workers: 2,
      rates: standardRates,
      seed: 1,
      durationMs: 25_000,
      ...options,
    });

  test('no write is lost, doubled or misreported, and none is over its deadline', async () => {
    const result = await run({ seed: 20_261 });
    expect(isClean(result.verdict), renderReport(result)).toBe(true);
    expect(result.verdict.acknowledgedWrites, renderReport(result)).toBeGreaterThan(300);
    expect(result.verdict.doneBefore, renderReport(result)).toBeGreaterThan(20);
  }, 180_000);

  test('a client that repeats what is in doubt is caught', async () => {
    const result = await run({
      client: 'vipsql, repeating what is in doubt',
      faults: open.faults.filter(({ name }) => name.startsWith('COMMITs are executed while their answers')),
      durationMs: 1,
    });
    expect(result.verdict.duplicates.length, renderReport(result)).toBeGreaterThan(0);
  }, 120_000);
});
