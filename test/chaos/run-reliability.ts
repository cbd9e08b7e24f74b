import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LabVendor } from '../../src/testing/index.ts';
import { oneOf, positiveNumber } from './arguments.ts';
import { replaceSection } from './doc-section.ts';
import type { Fault } from './fault.ts';
import { type FaultRun, type FaultRunOptions, runFault } from './fault-run.ts';
import {
  type FaultSummary,
  renderFaultTable,
  renderIdleTable,
  renderLossTable,
  renderMoves,
  summarise,
} from './fault-table.ts';
import { machineLoad } from './machine-load.ts';
import { type OpenLab, openAsynchronousLab, openLab } from './open-lab.ts';
import { standardRates } from './rates.ts';
import { describeViolations } from './report.ts';

const parts = ['matrix', 'idle', 'asynchronous'] as const;
const { values } = parseArgs({
  options: {
    vendor: { type: 'string', default: 'mysql' },
    part: { type: 'string', default: 'matrix' },
    runs: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    /** Puts the table into docs/reliability.md. */
    write: { type: 'boolean', default: false },
  },
});
const vendor: LabVendor = oneOf('vendor', values.vendor, ['mariadb', 'mysql']);
const part = oneOf('part', values.part, parts);
const runs = positiveNumber('runs', values.runs);
const seed = positiveNumber('seed', values.seed);

const render = { matrix: renderFaultTable, idle: renderIdleTable, asynchronous: renderLossTable };

await using open =
  part === 'asynchronous' ? await openAsynchronousLab(vendor) : await openLab('containers', { vendor });
const faults = open.faults.filter(
  ({ name, movesVip }) => name.includes(values.only) && (part === 'matrix' || movesVip),
);
const summaries: FaultSummary[] = [];
const moves: FaultSummary[] = [];
for (const fault of faults) {
  const summary = summarise(await repeat(open, fault));
  summaries.push(summary);
  if (fault.movesVip) moves.push(summary);
  console.log(render[part]([summary]));
}
const table = `${open.lab.version}, ${machineLoad()}\n\n${render[part](summaries)}\n\n${renderMoves(moves)}`;
console.log(`\n${table}`);
if (values.write) {
  const document = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
  writeFileSync(document, replaceSection(readFileSync(document, 'utf8'), `${part}-${vendor}`, table));
}

async function repeat({ lab, prober }: OpenLab, fault: Fault): Promise<FaultRun[]> {
  const results: FaultRun[] = [];
  for (let run = 0; run < runs; run += 1) {
    const options: FaultRunOptions = {
      lab,
      prober,
      client: 'vipsql',
      workers: 2,
      rates: standardRates,
      seed: seed + run,
      aftermathMs: 2_000,
      idle: part === 'idle',
    };
    const result = await runFault(fault, options);
    const violations = describeViolations(result.verdict);
    if (violations.length > 0) console.log(`${fault.name}, run ${run + 1}:`, violations.join('\n'));
    results.push(result);
  }
  return results;
}
