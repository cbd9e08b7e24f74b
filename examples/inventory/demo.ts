import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, createCluster } from 'vipsql';
import { type Lab, startLab } from 'vipsql/testing';
import { buildApp } from './app.ts';
import { clusterSettings } from './cluster-settings.ts';
import { audit, compareServers } from './demo/books.ts';
import { openDoors } from './demo/buyers.ts';
import { createCatalogue } from './demo/catalogue.ts';
import { Ledger } from './demo/ledger.ts';
import { describeResults } from './demo/results.ts';
import { Tally } from './demo/tally.ts';
import { seconds, Timeline } from './demo/timeline.ts';
import { Shop } from './shop.ts';

// `npm run demo`: the shop loses its primary at the busiest hour, and the books must balance all the same.

const buyers = 12;
const beforeKillMs = 2_500;
/** keepalived's check needs a moment to notice; meanwhile the VIP stays where it was and refuses. */
const unnoticedMs = 1_000;
/** Then the address is on nobody until the other master takes it. */
const gapMs = 1_000;
const afterPromotionMs = 3_000;

async function main(keep: boolean, interrupted: AbortSignal): Promise<string[]> {
  const timeline = new Timeline();
  const ledger = new Ledger();
  const tally = new Tally();

  await using lab = await startLab({ redis: false, onProgress: (line) => timeline.mark(line) });
  timeline.mark(`lab: masters a and b, ${lab.replicas.length} replicas, ${lab.version}`);
  await using db = createCluster({ ...clusterSettings, ...lab.config() });
  await using app = buildApp({ shop: new Shop(db), db });
  await createCatalogue(db);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  timeline.mark(`shop: ${url}`);

  const watch = watchCluster(db, timeline);
  const killedAt = await openDoors({ url, buyers, ledger, tally }, async () => {
    timeline.mark(`${buyers} buyers`);
    await sleep(beforeKillMs, undefined, { signal: interrupted });
    const at = await loseThePrimary(lab, timeline);
    await sleep(afterPromotionMs, undefined, { signal: interrupted });
    return at;
  });
  timeline.mark('closing time: every buyer has been answered');

  const problems = [...ledger.unexpected, ...checkFailover(timeline, ledger, watch)];
  problems.push(...(await audit(lab.owner(), lab.database, ledger)));
  timeline.mark(`books checked on ${lab.owner().name}, the survivor`);
  await lab.heal();
  timeline.mark('the old primary is back as a standby, all replication has caught up');
  const servers = [...lab.masters, ...lab.replicas];
  problems.push(...(await audit(lab.owner(), lab.database, ledger)));
  problems.push(...(await compareServers(servers, lab.database)));
  timeline.mark(`books checked again, on all ${servers.length} servers`);

  show('Timeline, from the kill on', timeline.linesAround(killedAt, beforeKillMs));
  show(
    'Results',
    await describeResults({
      ledger,
      tally,
      retriedInside: watch.retries,
      server: lab.owner(),
      database: lab.database,
    }),
  );
  show(
    'Books',
    problems.length === 0
      ? ['They balance: nothing oversold, nothing lost, no order twice, all four servers the same.']
      : problems,
  );
  if (keep && problems.length === 0) await keepRunning(url, interrupted);
  return problems;
}

interface Watch {
  retries: number;
  newEpochAt: number | undefined;
}

function watchCluster(db: Cluster, timeline: Timeline): Watch {
  const watch: Watch = { retries: 0, newEpochAt: undefined };
  db.on('primary:interrupted', ({ reason, message }) =>
    timeline.mark(`primary:interrupted – ${reason}: ${message}`),
  );
  db.on('primary:resumed', ({ epoch, interruptedMs }) =>
    timeline.mark(`primary:resumed – epoch ${epoch} after ${seconds(interruptedMs)}`),
  );
  db.on('epoch:opened', ({ epoch, server, interruptedMs }) => {
    watch.newEpochAt = timeline.mark(
      `epoch:opened – epoch ${epoch} on ${server}, interrupted for ${seconds(interruptedMs)}`,
    );
  });
  db.on('replica:down', ({ replica, reason }) => timeline.mark(`replica:down – ${replica}: ${reason}`));
  db.on('replica:up', ({ replica }) => timeline.mark(`replica:up – ${replica}`));
  db.on('operation:retry', () => {
    watch.retries += 1;
  });
  return watch;
}

/** Kills it and lets the other master take over as keepalived would. Resolves to the time of death. */
async function loseThePrimary(lab: Lab, timeline: Timeline): Promise<number> {
  const { name } = lab.owner();
  const killedAt = timeline.mark(`kill -9 ${name}, the primary`);
  await lab.fault({ kind: 'kill', server: name });
  await sleep(unnoticedMs);
  timeline.mark('the VIP is on nobody');
  await lab.fault({ kind: 'failover', gapMs });
  timeline.mark(`the VIP is on ${lab.owner().name}, which accepts writes now`);
  return killedAt;
}

function checkFailover(timeline: Timeline, ledger: Ledger, { newEpochAt }: Watch): string[] {
  if (newEpochAt === undefined) return ['no new epoch was opened'];
  const first = ledger.placedAt.find((at) => at > newEpochAt);
  if (first === undefined) return ['no order was placed after the failover'];
  timeline.add('first order confirmed by the new primary', first);
  return [];
}

function show(title: string, lines: readonly string[]): void {
  console.log(`\n${title}\n${'-'.repeat(title.length)}\n${lines.join('\n')}`);
}

async function keepRunning(url: string, interrupted: AbortSignal): Promise<void> {
  console.log(`\nThe shop stays open at ${url} until Ctrl-C. Try:`);
  console.log(`  curl '${url}/products?category=books'`);
  console.log(
    `  curl -X PUT ${url}/orders/my-first-order -H 'content-type: application/json' ` +
      `-d '{"customer":"me","lines":[{"sku":"BOOKS-050","qty":1}]}'`,
  );
  if (!interrupted.aborted) await once(interrupted, 'abort');
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
try {
  const problems = await main(process.argv.includes('--keep'), interruption.signal);
  process.exitCode = problems.length === 0 ? 0 : 1;
} catch (error) {
  console.error(interruption.signal.aborted ? 'Interrupted.' : error);
  process.exitCode = 1;
}
