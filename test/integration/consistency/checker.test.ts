import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { runPhase } from '../../consistency/phase.ts';
import { createCounters } from '../../consistency/workload.ts';
import { labVendors } from '../../support/lab-vendors.ts';

/** `npm run check:sessions` runs the same for as long as one likes. */
const seed = 4;

describe.each(labVendors)('random sessions on %s, with appliers that stop', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 2, redis: false });
    for (const statement of createCounters) await lab.owner().query(statement);
    await lab.heal();
  });

  afterAll(() => lab?.stop());

  test('never see less than they have written or read, failovers included', async () => {
    const { violations, replicaShare, writes, disturbed } = await runPhase(
      lab,
      { sessions: true, lagMs: 100, failoverEveryMs: 4_000 },
      { seed, goesOn: ({ reads }) => reads < 3_000 },
    );
    expect(violations).toEqual([]);
    expect(writes).toBeGreaterThan(100);
    expect(disturbed.stops).toBeGreaterThan(0);
    expect(replicaShare).toBeGreaterThan(0.5);
  }, 120_000);

  test('would: the same without sessions does', async () => {
    const { violations } = await runPhase(
      lab,
      { sessions: false, lagMs: 100 },
      { seed, goesOn: (soFar) => soFar.violations.length === 0 && soFar.reads < 20_000 },
    );
    expect(violations).not.toEqual([]);
  });
});
