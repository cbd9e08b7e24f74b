import { setTimeout as sleep } from 'node:timers/promises';
import type { Acknowledgement, Client, ClientFailure, Execute } from './client.ts';
import { nowMs } from './clock.ts';
import {
  type Ending,
  type History,
  type Notice,
  type Operation,
  type OperationKind,
  tornRead,
} from './history.ts';
import { Random } from './random.ts';
import { StallWatch } from './stall-watch.ts';
import { accountCount, counterCount, ownAccount, statements } from './tables.ts';

/** How much a worker does, per second; operations start on time, however long earlier ones take. */
export interface Rates {
  readonly events: number;
  readonly counters: number;
  readonly transfers: number;
  readonly primaryReads: number;
  readonly replicaReads: number;
  /** Whether transactions with a pause in the middle run all the time, one after another. */
  readonly longTransfers: boolean;
}

/** 20 writes a second, and reads beside them. */
export const standardRates: Rates = {
  events: 20,
  counters: 2,
  transfers: 4,
  primaryReads: 5,
  replicaReads: 20,
  longTransfers: true,
};

/** Nothing at all. */
export const idleRates: Rates = {
  events: 0,
  counters: 0,
  transfers: 0,
  primaryReads: 0,
  replicaReads: 0,
  longTransfers: false,
};

/** Every so many reads ask whether all transfers are there as a whole. */
const sumEvery = 20;

class TornRead extends Error {}

interface Plan {
  readonly kind: OperationKind;
  readonly touches: readonly string[];
  readonly deadlineMs: number | undefined;
  run(id: string): Promise<Acknowledgement>;
}

/** What one process asks of its client, and the log of it. */
export class Workload {
  readonly #client: Client;
  readonly #worker: number;
  readonly #random: Random;
  readonly #stalls: StallWatch;
  readonly #ended: Operation[] = [];
  readonly #running = new Map<string, Omit<Operation, 'endedAt' | 'ending'>>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #notices: Notice[] = [];
  readonly #crashes: string[] = [];
  #longTransfers: Promise<void> | undefined;
  #stopped = false;
  #count = 0;

  constructor(client: Client, worker: number, seed: number) {
    this.#client = client;
    this.#worker = worker;
    this.#random = new Random(seed + worker * 7_919);
    this.#stalls = new StallWatch(worker);
    client.onNotice((name, detail) => this.#notices.push({ worker, at: nowMs(), name, detail }));
  }

  start(rates: Rates): void {
    this.#every(rates.events, () => this.writeEvent());
    this.#every(rates.counters, () => this.#addToCounter());
    this.#every(rates.transfers, () => this.#transfer());
    this.#every(rates.primaryReads, () => this.#read('primary'));
    this.#every(rates.replicaReads, () => this.#read('replica'));
    if (rates.longTransfers) this.#longTransfers = this.#runLongTransfers();
  }

  /** One INSERT, beyond those that the rates ask for. */
  async writeEvent(): Promise<void> {
    const { statementMs } = this.#client.deadlines;
    await this.#do({
      kind: 'event',
      touches: [],
      deadlineMs: statementMs,
      run: (id) => this.#client.execute(statements.event, [id]),
    });
  }

  /** What nobody caught. */
  crashed(error: unknown): void {
    this.#crashes.push(String(error));
  }

  /** Starts nothing more, waits at most `patienceMs` for what runs, and closes the client. */
  async stop(patienceMs: number): Promise<History> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    const end = nowMs() + patienceMs;
    while (this.#running.size > 0 && nowMs() < end) await sleep(20);
    await Promise.race([this.#longTransfers, sleep(2_000, undefined, { ref: false })]);
    const endedAt = nowMs();
    const pending = [...this.#running.values()].map(
      (operation): Operation => ({ ...operation, endedAt, ending: { state: 'pending' } }),
    );
    await Promise.race([this.#client.close().catch((error: unknown) => this.crashed(error)), sleep(10_000)]);
    return {
      operations: [...this.#ended, ...pending],
      stalls: this.#stalls.stop(),
      notices: this.#notices,
      crashes: this.#crashes,
    };
  }

  #every(perSecond: number, start: () => Promise<void>): void {
    if (perSecond === 0) return;
    const pauseMs = 1_000 / perSecond;
    this.#timers.push(setInterval(() => void start(), pauseMs));
  }

  async #do({ kind, touches, deadlineMs, run }: Plan): Promise<void> {
    this.#count += 1;
    const id = `${this.#worker}-${kind}-${this.#count}`;
    const operation = { id, kind, worker: this.#worker, touches, deadlineMs, startedAt: nowMs() };
    this.#running.set(id, operation);
    const ending = await run(id).then(
      ({ epoch }): Ending => ({ state: 'acknowledged', epoch }),
      (error: unknown): Ending => ({ state: 'failed', ...this.#describe(error) }),
    );
    if (this.#running.delete(id)) this.#ended.push({ ...operation, endedAt: nowMs(), ending });
  }

  #describe(error: unknown): ClientFailure {
    if (!(error instanceof TornRead)) return this.#client.describe(error);
    return { code: tornRead, outcome: 'executed', message: error.message, epoch: undefined };
  }

  async #addToCounter(): Promise<void> {
    const counter = `c${this.#random.between(0, counterCount - 1)}`;
    await this.#do({
      kind: 'counter',
      touches: [counter],
      deadlineMs: this.#client.deadlines.statementMs,
      run: () => this.#client.execute(statements.counter, [counter]),
    });
  }

  /** Accounts in either order: two transfers may deadlock, as in real life. */
  async #transfer(): Promise<void> {
    const from = this.#random.between(0, accountCount - 1);
    const to = (from + this.#random.between(1, accountCount - 1)) % accountCount;
    await this.#move('transfer', from, to, 0);
  }

  async #runLongTransfers(): Promise<void> {
    while (!this.#stopped) {
      const own = ownAccount(this.#worker);
      await this.#move('long-transfer', own, own, this.#random.between(200, 1_000));
    }
  }

  async #move(kind: 'transfer' | 'long-transfer', from: number, to: number, pauseMs: number): Promise<void> {
    const amount = this.#random.between(1, 100);
    const work = async (execute: Execute, id: string): Promise<Acknowledgement> => {
      await execute(statements.leg, [id, 1, from, -amount]);
      await execute(statements.balance, [-amount, from]);
      if (pauseMs > 0) await sleep(pauseMs);
      await execute(statements.balance, [amount, to]);
      return await execute(statements.leg, [id, 2, to, amount]);
    };
    await this.#do({
      kind,
      touches: [String(from), String(to)],
      deadlineMs: this.#client.deadlines.transactionMs,
      run: (id) => this.#client.transaction((execute) => work(execute, id)),
    });
  }

  async #read(from: 'primary' | 'replica'): Promise<void> {
    const asksSum = this.#random.between(1, sumEvery) === 1;
    const account = this.#random.between(0, accountCount - 1);
    await this.#do({
      kind: `${from}-read`,
      touches: [],
      deadlineMs: this.#client.deadlines.statementMs,
      run: async () => {
        const [row] = asksSum
          ? await this.#client.read(from, statements.sum, [])
          : await this.#client.read(from, statements.read, [account]);
        if (asksSum && Number(row?.total) !== 0) throw new TornRead(`the sum is ${row?.total}`);
        return { epoch: undefined };
      },
    });
  }
}
