import { createCluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import type { VipProber } from '../containers/vip-prober.ts';
import { prepareLedger } from '../support/prepare-ledger.ts';
import { checkHistory, type Verdict } from './check-history.ts';
import type { ClientName } from './clients/clients.ts';
import { type History, mergeHistories } from './history.ts';
import { type AddedOutage, addedOutages, findOutages } from './outages.ts';
import type { Rates } from './rates.ts';
import { createTables, readRows, type ServerRows } from './tables.ts';
import { Worker } from './worker.ts';

/** Longer than any deadline of vipsql's defaults. */
const longestPatienceMs = 40_000;

export interface TrialOptions {
  readonly lab: Lab;
  readonly prober: VipProber;
  readonly client: ClientName;
  /** How many processes use the client. */
  readonly workers: number;
  readonly rates: Rates;
  readonly seed: number;
  /** How long operations may take to settle once nothing new is started; default 40 000. */
  readonly patienceMs?: number;
}

/** What a trial has shown. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly outages: readonly AddedOutage[];
  readonly history: History;
  readonly primary: ServerRows;
}

/** Clients at work on a lab, until they are stopped and judged. */
export class Trial {
  readonly #options: TrialOptions;
  readonly #workers: readonly Worker[];

  private constructor(options: TrialOptions, workers: readonly Worker[]) {
    this.#options = options;
    this.#workers = workers;
  }

  /** Makes the tables anew and starts the clients; resolves when all of them work. */
  static async start(options: TrialOptions): Promise<Trial> {
    const { lab, client, seed, rates, workers: count } = options;
    await prepareTables(lab, count);
    await lab.heal();
    const target = { ...lab.config(), masters: lab.masters.map(({ address }) => address) };
    const workers = await Promise.all(
      Array.from({ length: count }, (_, worker) => Worker.open({ worker, client, target, seed })),
    );
    for (const worker of workers) worker.start(rates);
    return new Trial(options, workers);
  }

  /** Has each client write one row, now. */
  writeEvents(): void {
    for (const worker of this.#workers) worker.writeEvent();
  }

  /** Waits for what runs and ends the clients. */
  async stop(): Promise<History> {
    const { patienceMs = longestPatienceMs } = this.#options;
    return mergeHistories(await Promise.all(this.#workers.map((worker) => worker.stop(patienceMs))));
  }

  /** Heals the lab and compares what clients were told with the rows of its servers. */
  async judge(history: History): Promise<Judgement> {
    const { lab, prober } = this.#options;
    await lab.heal();
    const owner = lab.owner();
    const primary = await readRows(owner, lab.database);
    const servers = [...lab.masters, ...lab.replicas].filter(({ name }) => name !== owner.name);
    const others = await Promise.all(servers.map((server) => readRows(server, lab.database)));
    return {
      verdict: checkHistory({ history, primary, others }),
      outages: addedOutages(findOutages(prober.sightings), history, primary),
      history,
      primary,
    };
  }
}

async function prepareTables(lab: Lab, workers: number): Promise<void> {
  await createTables(lab.owner(), lab.database, workers);
  await using db = createCluster({ ...lab.config(), replicas: [] });
  await prepareLedger(lab, db);
}
