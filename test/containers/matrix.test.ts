import { afterAll, beforeAll, expect, it } from 'vitest';
import { containerEpisodes } from '../chaos/container-episodes.ts';
import { runFault } from '../chaos/fault-run.ts';
import { type FaultSummary, renderFaultTable, renderMoves, summarise } from '../chaos/fault-table.ts';
import { type OpenLab, openLab } from '../chaos/open-lab.ts';
import { standardRates } from '../chaos/rates.ts';
import { describeViolations } from '../chaos/report.ts';
import { describeContainers } from '../support/container-vendors.ts';

/** Writes go on after a fault, however long the VIP was gone. Far above what is measured: machines stall. */
const mostAddedMs = 5_000;

describeContainers('the fault matrix', (vendor) => {
  let open: OpenLab;
  const summaries: FaultSummary[] = [];
  const moves: FaultSummary[] = [];

  beforeAll(async () => {
    open = await openLab('containers', { vendor });
  });

  afterAll(async () => {
    await open[Symbol.asyncDispose]();
    process.stdout.write(
      `\n${vendor}, one run of each fault:\n\n${renderFaultTable(summaries)}\n\n${renderMoves(moves)}\n\n`,
    );
  });

  it.each(containerEpisodes.map(({ name }) => name))(
    '%s: nothing is lost, doubled or misreported',
    async (name) => {
      const fault = open.faults.find((each) => each.name === name);
      if (fault === undefined) throw new Error(`there is no fault ${name}`);
      const run = await runFault(fault, {
        ...open,
        client: 'vipsql',
        workers: 2,
        rates: standardRates,
        seed: 1,
        aftermathMs: 1_500,
      });
      const summary = summarise([run]);
      summaries.push(summary);
      if (fault.movesVip) moves.push(summary);
      expect(describeViolations(run.verdict)).toEqual([]);
      expect(run.missingBeforeHeal).toBe(0);
      expect(run.verdict.acknowledgedWrites).toBeGreaterThan(20);
      if (run.outage !== undefined) expect(run.outage.addedMs).toBeLessThan(mostAddedMs);
    },
  );
});
