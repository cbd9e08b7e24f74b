import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from '../../chaos/chaos.ts';
import { embeddedEpisodes } from '../../chaos/embedded-episodes.ts';
import { type Prober, ProberProcess } from '../../chaos/prober.ts';
import { isClean, renderReport } from '../../chaos/report.ts';
import { standardRates } from '../../chaos/workload.ts';
import { labVendors } from '../../support/lab-vendors.ts';

describe.each(labVendors)('chaos on %s', (vendor) => {
  let lab: Lab;
  let prober: Prober;

  beforeAll(async () => {
    lab = await startLab({ vendor });
    prober = await ProberProcess.start(lab);
  });

  afterAll(async () => {
    await prober.stop();
    await lab.stop();
  });

  const run = (options: Partial<ChaosOptions<Lab>>): Promise<ChaosResult> =>
    runChaos({
      lab,
      prober,
      client: 'vipsql',
      workers: 2,
      rates: standardRates,
      seed: 1,
      durationMs: 25_000,
      episodes: embeddedEpisodes,
      ...options,
    });

  test('no write is lost, doubled or misreported, and none is over its deadline', async () => {
    const result = await run({ seed: 20_261 });
    expect(isClean(result.verdict), renderReport(result)).toBe(true);
    expect(result.verdict.acknowledgedWrites, renderReport(result)).toBeGreaterThan(300);
  }, 180_000);

  test('a client that repeats what is in doubt is caught', async () => {
    const result = await run({
      client: 'vipsql, repeating what is in doubt',
      episodes: embeddedEpisodes.filter(
        ({ name }) => name === 'the primary freezes, and comes back as a standby',
      ),
      durationMs: 1,
      rates: { ...standardRates, events: 100 },
    });
    expect(result.verdict.duplicates.length, renderReport(result)).toBeGreaterThan(0);
  }, 120_000);
});
