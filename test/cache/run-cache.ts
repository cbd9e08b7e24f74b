import { startLab } from '../../src/testing/index.ts';
import { labVendors } from '../support/lab-vendors.ts';
import { type Phase, type PhaseResult, runPhase } from './phase.ts';
import { crampedMemcached, fragileMemcached } from './troubled-memcached.ts';
import { clusteredRedis, crampedRedis, fragileRedis, watchedRedis } from './troubled-redis.ts';
import { createCounters } from './workload.ts';

/** `npm run check:cache -- [reads] [seed] [vendor]`: counts answers that are older than the last invalidation. */
const [reads = '100000', seed = String(Date.now() % 1_000_000), only] = process.argv.slice(2);

const phases: readonly (Phase & { readonly name: string; readonly share: number })[] = [
  { name: 'lag up to 100 ms', fences: true, lagMs: 100, share: 0.2 },
  {
    name: 'lag up to 500 ms, Redis in trouble, failovers',
    fences: true,
    lagMs: 500,
    store: { start: fragileRedis, everyMs: 1_500 },
    failoverEveryMs: 8_000,
    share: 0.3,
  },
  {
    name: 'lag up to 100 ms, Redis evicting, failovers',
    fences: true,
    lagMs: 100,
    store: { start: crampedRedis, everyMs: 20 },
    failoverEveryMs: 8_000,
    share: 0.15,
  },
  {
    name: 'lag up to 100 ms, Sentinels promoting, failovers',
    fences: true,
    lagMs: 100,
    store: { start: watchedRedis, everyMs: 3_000 },
    failoverEveryMs: 8_000,
    share: 0.15,
  },
  {
    name: 'lag up to 100 ms, Redis Cluster in trouble, failovers',
    fences: true,
    lagMs: 100,
    store: { start: clusteredRedis, everyMs: 2_000 },
    failoverEveryMs: 8_000,
    share: 0.2,
  },
  {
    name: 'lag up to 500 ms, memcached in trouble, failovers',
    fences: true,
    lagMs: 500,
    store: { start: fragileMemcached, everyMs: 1_500 },
    failoverEveryMs: 8_000,
    share: 0.2,
  },
  {
    name: 'lag up to 100 ms, memcached evicting, failovers',
    fences: true,
    lagMs: 100,
    store: { start: crampedMemcached, everyMs: 100 },
    failoverEveryMs: 8_000,
    share: 0.15,
  },
  { name: 'control: no fences, lag up to 100 ms', fences: false, lagMs: 100, share: 0.05 },
];

let failed = false;
for (const vendor of labVendors.filter((name) => only === undefined || name === only)) {
  await using lab = await startLab({ vendor, redis: true, replicas: 2, onProgress: () => {} });
  await createCounters(lab);
  console.log(`\n${vendor} ${lab.version}, seed ${seed}`);
  for (const { name, share, ...phase } of phases) {
    const wanted = Math.ceil(Number(reads) * share);
    const result = await runPhase(lab, phase, {
      seed: Number(seed),
      goesOn: (soFar) => soFar.reads < wanted,
    });
    report(name, result);
    failed ||= phase.fences === result.violations.length > 0;
  }
}
process.exitCode = failed ? 1 : 0;

function report(name: string, result: PhaseResult): void {
  const { violations, failures, seconds, disturbed, troubles, status, undelivered, sessionReads } = result;
  console.log(`${name}: ${result.reads} reads, ${result.writes} writes, ${violations.length} violations`);
  const facts = {
    seconds,
    ...disturbed,
    troubles,
    sessionReads,
    undelivered,
    failures: Object.fromEntries(failures),
  };
  console.log('  ', JSON.stringify(facts));
  for (const each of status) console.log('  ', JSON.stringify(each));
  for (const violation of violations.slice(0, 3)) console.log('  ', JSON.stringify(violation));
}
