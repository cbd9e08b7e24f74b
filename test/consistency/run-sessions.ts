import { startLab } from '../../src/testing/index.ts';
import { labVendors } from '../support/lab-vendors.ts';
import { type Phase, type PhaseResult, runPhase } from './phase.ts';
import { createCounters } from './workload.ts';

/** `npm run check:sessions -- [reads] [seed] [vendor]`: counts violations on real replication, with sessions and without. */
const [reads = '100000', seed = String(Date.now() % 1_000_000), only] = process.argv.slice(2);

const phases: readonly (Phase & { readonly name: string; readonly share: number })[] = [
  { name: 'sessions, lag up to 100 ms', sessions: true, lagMs: 100, share: 0.4 },
  {
    name: 'sessions, lag up to 100 ms, failovers',
    sessions: true,
    lagMs: 100,
    failoverEveryMs: 8_000,
    share: 0.4,
  },
  {
    name: 'sessions, lag up to 2 s, failovers',
    sessions: true,
    lagMs: 2_000,
    failoverEveryMs: 8_000,
    share: 0.2,
  },
  { name: 'no sessions, lag up to 100 ms', sessions: false, lagMs: 100, share: 0.1 },
];

let failed = false;
for (const vendor of labVendors.filter((name) => only === undefined || name === only)) {
  await using lab = await startLab({ vendor, redis: false, replicas: 2, onProgress: () => {} });
  for (const statement of createCounters) await lab.owner().query(statement);
  await lab.heal();
  console.log(`\n${vendor} ${lab.version}, seed ${seed}`);
  for (const { name, share, ...phase } of phases) {
    const wanted = Math.ceil(Number(reads) * share);
    const result = await runPhase(lab, phase, {
      seed: Number(seed),
      goesOn: (soFar) => soFar.reads < wanted,
    });
    report(name, result);
    failed ||= phase.sessions === result.violations.length > 0;
  }
}
process.exitCode = failed ? 1 : 0;

function report(name: string, result: PhaseResult): void {
  const { violations, behindReplica, failures, seconds, disturbed, status, lost } = result;
  console.log(
    `${name}: ${result.reads} reads, ${result.writes} writes, ${result.sessions} sessions, ` +
      `${violations.length} violations, ${(result.replicaShare * 100).toFixed(1)} % of the reads on replicas`,
  );
  const facts = { seconds, ...disturbed, status, lost, behindReplica: behindReplica.length };
  console.log('  ', JSON.stringify({ ...facts, failures: Object.fromEntries(failures) }));
  for (const violation of violations.slice(0, 3)) console.log('  ', JSON.stringify(violation));
}
