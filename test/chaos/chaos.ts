import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab, LabServer } from '../../src/testing/index.ts';
import { checkHistory, type Verdict } from './check-history.ts';
import type { ClientName } from './clients/clients.ts';
import { nowMs } from './clock.ts';
import { type Episode, Stage } from './episode.ts';
import { mergeHistories } from './history.ts';
import { type AddedOutage, addedOutages, findOutages } from './outages.ts';
import { type Prober, serverIds } from './prober.ts';
import { Random } from './random.ts';
import { createTables, readRows } from './tables.ts';
import { Worker } from './worker.ts';
import type { Rates } from './workload.ts';

/** How long operations may take to settle after the last fault has been healed. */
const patienceMs = 40_000;

export interface ChaosOptions<L extends Lab> {
  readonly lab: L;
  readonly prober: Prober;
  readonly client: ClientName;
  readonly workers: number;
  readonly rates: Rates;
  readonly seed: number;
  /** How long faults go on. */
  readonly durationMs: number;
  readonly episodes: readonly Episode<L>[];
  /** In the order of the list, each once, instead of at random. */
  readonly inOrder?: boolean;
  readonly onEpisode?: (number: number, name: string) => void;
}

/** An episode that took place, and what it cost. */
export interface Played {
  readonly name: string;
  readonly from: number;
  /** When the lab had been healed from it. */
  readonly to: number;
  readonly outages: readonly AddedOutage[];
}

/** What a run of faults gave. */
export interface ChaosResult {
  readonly verdict: Verdict;
  readonly played: readonly Played[];
  readonly operations: number;
}

/** Runs clients against a lab that breaks again and again, heals it, and compares what clients were told with its rows. */
export async function runChaos<L extends Lab>(options: ChaosOptions<L>): Promise<ChaosResult> {
  const { lab, prober } = options;
  await createTables(lab.owner(), lab.database, options.workers);
  await lab.heal();
  const workers = await openWorkers(options);
  const played = await breakThings(options);
  const history = mergeHistories(await Promise.all(workers.map((worker) => worker.stop(patienceMs))));
  await lab.heal();
  const owner = lab.owner();
  const primary = await readRows(owner, lab.database);
  const others = await Promise.all(otherServers(lab, owner).map((server) => readRows(server, lab.database)));
  const executors = { rows: primary, serverIds: await serverIds(lab) };
  const outages = addedOutages(findOutages(prober.sightings), history, executors);
  return {
    verdict: checkHistory({ history, primary, others }),
    played: played.map((window) => ({
      ...window,
      outages: outages.filter(({ from }) => from >= window.from && from < window.to),
    })),
    operations: history.operations.length,
  };
}

async function openWorkers<L extends Lab>(options: ChaosOptions<L>): Promise<Worker[]> {
  const { lab, client, seed, rates } = options;
  const target = { ...lab.config(), masters: lab.masters.map(({ address }) => address) };
  const workers = await Promise.all(
    Array.from({ length: options.workers }, (_, worker) => Worker.open({ worker, client, target, seed })),
  );
  for (const worker of workers) worker.start(rates);
  return workers;
}

async function breakThings<L extends Lab>(options: ChaosOptions<L>): Promise<Omit<Played, 'outages'>[]> {
  const { lab, episodes, seed, durationMs, onEpisode } = options;
  const random = new Random(seed);
  const end = nowMs() + durationMs;
  const played: Omit<Played, 'outages'>[] = [];
  while (options.inOrder === true ? played.length < episodes.length : nowMs() < end) {
    const episode = options.inOrder === true ? episodes[played.length] : random.pick(episodes);
    if (episode === undefined) break;
    await sleep(random.between(500, 2_000));
    const from = nowMs();
    onEpisode?.(played.length + 1, episode.name);
    await episode.play(new Stage(lab, random));
    await sleep(random.between(500, 2_000));
    await lab.heal();
    played.push({ name: episode.name, from, to: nowMs() });
  }
  return played;
}

function otherServers(lab: Lab, owner: LabServer): LabServer[] {
  return [...lab.masters, ...lab.replicas].filter(({ name }) => name !== owner.name);
}
