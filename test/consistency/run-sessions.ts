import { type ConsistencyStatus, createCluster } from '../../src/index.ts';
import { startLab } from '../../src/testing/index.ts';
import { labVendors } from '../support/lab-vendors.ts';
import { type Disturbed, disturb } from './disturber.ts';
import { seeded } from './random.ts';
import { createCounters, runWorkload, type WorkloadResult } from './workload.ts';

/** `npm run check:sessions -- [reads] [seed] [vendor]`: counts violations on real replication, with sessions and without. */
const [reads = '100000', seed = String(Date.now() % 1_000_000), only] = process.argv.slice(2);

const phases = [
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
  for (const phase of phases) {
    const wanted = Math.ceil(Number(reads) * phase.share);
    const random = seeded(Number(seed));
    const over = new AbortController();
    const clusters = [createCluster(lab.config()), createCluster(lab.config())];
    const lost: string[] = [];
    for (const db of clusters) {
      await db.ready();
      db.on('position:lost', ({ missing }) => lost.push(missing));
    }
    const disturbing = disturb(lab, { ...phase, random, signal: over.signal });
    const startedAt = performance.now();
    const result = await runWorkload({
      clusters,
      sessions: phase.sessions,
      concurrency: 24,
      random,
      goesOn: (soFar) => soFar.reads < wanted,
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    over.abort();
    const disturbed = await disturbing;
    const status = clusters.map((db) => db.status().consistency);
    await Promise.all(clusters.map((db) => db.close()));
    await lab.heal();
    const primary = `${lab.vip.host}:${lab.vip.port}`;
    report(phase.name, result, { primary, seconds, ...disturbed, status, lost });
    failed ||= phase.sessions === result.violations.length > 0;
  }
}
process.exitCode = failed ? 1 : 0;

interface Facts extends Disturbed {
  readonly primary: string;
  readonly seconds: number;
  readonly status: readonly ConsistencyStatus[];
  readonly lost: readonly string[];
}

function report(name: string, result: WorkloadResult, { primary, ...facts }: Facts): void {
  const { violations, behindReplica, byServer, failures } = result;
  const onPrimary = byServer.get(primary) ?? 0;
  const share = ((1 - onPrimary / result.reads) * 100).toFixed(1);
  console.log(
    `${name}: ${result.reads} reads, ${result.writes} writes, ${result.sessions} sessions, ` +
      `${violations.length} violations, ${share} % of the reads on replicas`,
  );
  console.log(
    '  ',
    JSON.stringify({ ...facts, behindReplica: behindReplica.length, failures: Object.fromEntries(failures) }),
  );
  for (const violation of violations.slice(0, 3)) console.log('  ', JSON.stringify(violation));
}
