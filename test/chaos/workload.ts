import { setTimeout as sleep } from 'node:timers/promises';
import type { Acknowledgement, Client, ClientFailure, ExactlyOnce, Work } from './client.ts';
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
import type { Rates } from './rates.ts';
import { StallWatch } from './stall-watch.ts';
import { accountCount, counterCount, ownAccount, statements } from './tables.ts';

/** Every so many reads ask whether all transfers are there as a whole. */
const sumEvery = 20;

class TornRead extends Error {}

interface Plan {
  readonly kind: OperationKind;
  readonly key?: string | undefined;
  readonly touches: readonly string[];
  readonly deadlineMs: number | undefined;
  run(id: string): Promise<Acknowledgement>;
}

/** A transfer, and how its transaction is begun. */
interface Move {
  readonly kind: OperationKind;
  readonly from: number;
  readonly to: number;
  readonly pauseMs?: number;
  readonly key?: string;
  begin(work: Work, id: string): Promise<Acknowledgement>;
}

const longTransferMs = { least: 200, most: 1_000 };

const longestCloseMs = 10_000;

/** A repeat of a key comes while the first call runs, or after it. */
const repeatWithinMs = 1_000;

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
  #keys = 0;

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
    const { exactlyOnce } = this.#client;
    if (exactlyOnce !== undefined) {
      this.#every(rates.onceTransfers, () => this.#transferOnce(exactlyOnce));
      this.#every(rates.keyedTransfers, () => this.#transferTwiceByKey(exactlyOnce));
    }
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
    const closed = this.#client.close().catch((error: unknown) => this.crashed(error));
    await Promise.race([closed, sleep(Math.min(patienceMs, longestCloseMs))]);
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

  async #do({ kind, key, touches, deadlineMs, run }: Plan): Promise<void> {
    this.#count += 1;
    const id = `${this.#worker}-${kind}-${this.#count}`;
    const facts = { id, kind, worker: this.#worker, touches, deadlineMs, startedAt: nowMs() };
    const operation = key === undefined ? facts : { ...facts, key };
    this.#running.set(id, operation);
    const ending = await run(id).then(
      ({ epoch, doneBy }): Ending => ({
        state: 'acknowledged',
        epoch,
        ...(doneBy === undefined ? {} : { doneBy }),
      }),
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

  async #transfer(): Promise<void> {
    await this.#move({
      kind: 'transfer',
      ...this.#twoAccounts(),
      begin: (work) => this.#client.transaction(work),
    });
  }

  async #runLongTransfers(): Promise<void> {
    const own = ownAccount(this.#worker);
    while (!this.#stopped) {
      const transfer = this.#move({
        kind: 'long-transfer',
        from: own,
        to: own,
        pauseMs: this.#random.between(longTransferMs.least, longTransferMs.most),
        begin: (work) => this.#client.transaction(work),
      });
      // A client that fails at once is not asked more often for it.
      await Promise.all([transfer, sleep(longTransferMs.least)]);
    }
  }

  async #transferOnce(client: ExactlyOnce): Promise<void> {
    await this.#move({
      kind: 'once-transfer',
      ...this.#twoAccounts(),
      begin: (work) => client.transaction(work),
    });
  }

  /** All workers count the same keys, so that repeats come from this process and from others. */
  async #transferTwiceByKey(client: ExactlyOnce): Promise<void> {
    this.#keys += 1;
    const key = `request-${this.#keys}`;
    await Promise.all([
      this.#transferByKey(client, key),
      sleep(this.#random.between(0, repeatWithinMs)).then(() => this.#transferByKey(client, key)),
    ]);
  }

  async #transferByKey(client: ExactlyOnce, key: string): Promise<void> {
    if (this.#stopped) return;
    await this.#move({
      kind: 'keyed-transfer',
      ...this.#twoAccounts(),
      key,
      begin: (work, id) => client.keyed({ key, id }, work),
    });
  }

  /** In either order: two transfers may deadlock, as in real life. */
  #twoAccounts(): { from: number; to: number } {
    const from = this.#random.between(0, accountCount - 1);
    return { from, to: (from + this.#random.between(1, accountCount - 1)) % accountCount };
  }

  async #move({ kind, from, to, pauseMs = 0, key, begin }: Move): Promise<void> {
    const amount = this.#random.between(1, 100);
    const workOf =
      (id: string): Work =>
      async (execute) => {
        await execute(statements.leg, [id, 1, from, -amount]);
        await execute(statements.balance, [-amount, from]);
        if (pauseMs > 0) await sleep(pauseMs);
        await execute(statements.balance, [amount, to]);
        return await execute(statements.leg, [id, 2, to, amount]);
      };
    await this.#do({
      kind,
      key,
      touches: [String(from), String(to)],
      deadlineMs: this.#client.deadlines.transactionMs,
      run: (id) => begin(workOf(id), id),
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
