import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResolvedConfig } from '../config/types.ts';
import type { Floor } from '../consistency/floor.ts';
import type { Required } from '../consistency/required-position.ts';
import { ClosedError, NoReplicaError, QueueFullError } from '../errors/errors.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Connection } from '../pool/connection.ts';
import { WaitQueue } from '../pool/wait-queue.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { interruptedWait } from '../resilience/interruption.ts';
import { GivenUp, type Retries } from '../resilience/retries.ts';
import type { GiveUp } from '../resilience/retry.ts';
import type { PrimaryReader } from '../topology/primary-reader.ts';
import type { ReplicaSet } from '../topology/replica-set.ts';
import { notThere } from './checked-reads.ts';
import { decideFallback } from './fallback.ts';
import { FallbackPeriod } from './fallback-period.ts';
import { type ConsistencyStatus, FreshReads } from './fresh-reads.ts';
import type { Place } from './place.ts';
import { ReadChoice } from './read-choice.ts';
import type { ReadNeed } from './read-need.ts';
import { type ReadSearch, searchAmong } from './read-search.ts';
import type { ReadTarget } from './read-target.ts';
import { wasTurnedAway } from './turned-away.ts';
import { replicaReturned, unlessReplicaReturns } from './unless-replica-returns.ts';

export interface ReadRouterOptions {
  readonly config: Pick<ResolvedConfig, 'balance' | 'consistency' | 'fallback' | 'pool' | 'retry'>;
  readonly replicas: ReplicaSet;
  readonly primary: PrimaryReader;
  readonly retries: Retries;
  readonly events: ClusterEmitter;
}

/** What became of a read, filled in while it runs: told in errors. */
export interface ReadTrace {
  /** The server that was tried last. */
  server?: string | undefined;
  /** Tries so far. */
  attempts?: number | undefined;
  /** Why it was not tried again. */
  why?: GiveUp | undefined;
}

export interface ReadOptions {
  readonly trace?: ReadTrace;
  /** What it must see; nothing by default. */
  readonly need?: ReadNeed | undefined;
  /** Only replicas that are known to be no older; any age by default. */
  readonly maxLagMs?: number | undefined;
  /** `false` for a read whose length the caller decides (stream, snapshot): it says nothing about the server. */
  readonly timed?: boolean;
}

const none: readonly ReadTarget[] = [];

/** Takes each replica read to a server: chooses, tries, and after a failure tries elsewhere. */
export class ReadRouter {
  readonly #options: ReadRouterOptions;
  readonly #choice: ReadChoice;
  readonly #fresh: FreshReads;
  readonly #fallback: FallbackPeriod;
  #tooOld = 0;
  readonly #gate = new WaitQueue<void>(
    (interruption) =>
      new Failed(
        interruptedWait(
          interruption,
          'connection',
          `no replica has answered yet: ${this.#options.replicas.describe()}`,
        ),
      ),
  );

  constructor(options: ReadRouterOptions) {
    const { config, replicas, primary, events } = options;
    this.#options = options;
    this.#choice = new ReadChoice({ balance: config.balance, replicas, primary });
    this.#fresh = new FreshReads({
      replicas,
      primary,
      choice: this.#choice,
      events,
      waitMs: config.consistency.waitMs,
      poolMax: config.pool.replica.max,
    });
    this.#fallback = new FallbackPeriod(events);
    replicas.onChange(() => {
      if (replicas.candidates.length > 0) this.#fallback.end();
      while (this.#gate.serve());
    });
  }

  get consistency(): ConsistencyStatus {
    return { ...this.#fresh.status, tooOld: this.#tooOld };
  }

  /** What an answer must have seen to satisfy `floor`, wherever it comes from. */
  required(floor: Floor, deadline: Deadline): Promise<Required> {
    return this.#fresh.required(floor, deadline);
  }

  /**
   * Runs a read on one server after another until one answers, and pays for it into the retry budget.
   *
   * What was not sent moves on to a server that it has not tried, which is no retry. After a failure that cost a server
   * something the read is tried again as the outcome table allows: on another replica, the first time at once, else after the usual
   * back-off; on the primary, if `fallback` allows, when all replicas were tried or none may serve; then round again.
   *
   * Rejects with {@link Failed} when trying again is of no use or the deadline has passed, with {@link NoReplicaError}
   * at once when all replicas are known to be down and `fallback` is `'error'`, or with whatever else `run` rejects with.
   * While a replica makes its first connection, or is asked for the first time how old it is, the read waits for it.
   */
  async read<T>(
    deadline: Deadline,
    run: (connection: Connection) => Promise<T>,
    options?: ReadOptions,
  ): Promise<T> {
    const { trace = {}, timed = true, need, maxLagMs } = options ?? {};
    const { replicas, retries } = this.#options;
    if (maxLagMs !== undefined) replicas.watchLag();
    retries.countOperation();
    let tried = none;
    let attempt = 1;
    for (;;) {
      const search = searchAmong(replicas.candidates, tried, { deadline, need, maxLagMs }, performance.now());
      const place = need === undefined ? undefined : await this.#findPlace(need, search);
      const next = need === undefined ? this.#choice.next(search.excluded) : place?.target;
      const target = next ?? (await this.#chooseLast(search));
      if (target === undefined) continue;
      trace.server = target.name;
      trace.attempts = attempt;
      try {
        if (place !== undefined && need !== undefined) {
          return await this.#fresh.read(place, need, { deadline, run, timed });
        }
        if (target !== this.#choice.primary) return await target.read(deadline, run, { timed });
        if (need !== undefined) await this.#fresh.fallBack(need, search.excluded, deadline);
        const result = await this.#readOnPrimary(deadline, run, timed);
        need?.sawPrimary(performance.now());
        return result;
      } catch (error) {
        if (error === replicaReturned) continue;
        tried = [...tried, target];
        if (error === notThere) continue;
        const excluded = [...tried, ...search.tooOld];
        if (this.#mayMove(error, tried, excluded)) continue;
        if (!(error instanceof Failed)) throw error;
        this.#refuseClosed(error.failure);
        await this.#beforeRetry({ failure: error.failure, attempt, excluded, deadline, trace });
        attempt += 1;
      }
    }
  }

  /** Turns away the reads that wait for a replica; to be called once the replicas are closed. */
  close(): void {
    this.#gate.close(new ClosedError('The cluster is closed; nothing was sent.'));
  }

  /** Servers that were tried come again when nobody else is left to take the read. */
  async #findPlace(need: ReadNeed, search: ReadSearch): Promise<Place | undefined> {
    const { tried, tooOld, excluded, deadline } = search;
    const untried = await this.#fresh.find(need, excluded, deadline);
    const { config, primary } = this.#options;
    if (untried !== undefined || tried.length === 0) return untried;
    return config.fallback === 'primary' && primary.available
      ? undefined
      : await this.#fresh.find(need, tooOld, deadline);
  }

  #refuseClosed({ outcome, cause }: Failure): void {
    if (!this.#options.replicas.closed) return;
    throw new ClosedError('The cluster was closed while the read was under way.', { outcome, cause });
  }

  /** Whether the read was turned away before it was sent, and somebody is left to ask. */
  #mayMove(error: unknown, tried: readonly ReadTarget[], excluded: readonly ReadTarget[]): boolean {
    // A full queue is no reason to burden the primary.
    if (error instanceof QueueFullError) return this.#choice.next(excluded) !== undefined;
    if (!(error instanceof Failed) || !wasTurnedAway(error.failure)) return false;
    return this.#choice.next(excluded) !== undefined || this.#primaryIsLeft(tried);
  }

  #primaryIsLeft(tried: readonly ReadTarget[]): boolean {
    const { config, primary, replicas } = this.#options;
    if (config.fallback !== 'primary' || tried.includes(this.#choice.primary)) return false;
    return primary.available || replicas.candidates.length === 0;
  }

  /** Where to go when nothing untried is left; `undefined` when something may have changed meanwhile. */
  async #chooseLast(search: ReadSearch): Promise<ReadTarget | undefined> {
    const { need, tried, tooOld, deadline } = search;
    const { config, replicas, primary } = this.#options;
    const { candidates, expecting } = replicas;
    if (replicas.closed) throw new ClosedError('The cluster is closed; nothing was sent.');
    const decision = decideFallback({
      fallback: config.fallback,
      // None of them will do for a read that must see something.
      serving: need === undefined ? candidates.length - tooOld.length : 0,
      expecting: expecting && candidates.length === tooOld.length,
      primaryAvailable: primary.available,
      primaryTried: tried.includes(this.#choice.primary),
    });
    switch (decision) {
      case 'again':
        return this.#choice.next(tooOld);
      case 'primary':
        if (candidates.length === 0) this.#fallback.begin(replicas.describe());
        else if (candidates.length === tooOld.length) this.#tooOld += 1;
        return this.#choice.primary;
      case 'fail':
        // A caller that tries again at once must not keep the process from hearing that a replica is back.
        await nextTurn();
        throw new NoReplicaError(
          `${this.#whyNone(search)} and fallback is 'error'. The statement was not sent. ` +
            "Look at the replicas, or allow fallback: 'primary'.",
        );
      case 'wait':
        await this.#waitForStart(deadline);
        return undefined;
    }
  }

  #whyNone({ need, maxLagMs, tooOld }: ReadSearch): string {
    const { config, replicas } = this.#options;
    const { candidates } = replicas;
    if (candidates.length > 0 && candidates.length === tooOld.length) {
      return `No replica is known to be at most ${maxLagMs} ms old (maxLagMs; ${replicas.describeLag()})`;
    }
    return need === undefined || candidates.length === 0
      ? `No replica may serve (${replicas.describe()})`
      : `No replica has got within ${config.consistency.waitMs} ms (consistency.waitMs) to what the read must see`;
  }

  async #waitForStart(deadline: Deadline): Promise<void> {
    const { config } = this.#options;
    const { maxWaiting } = config.pool.replica;
    if (this.#gate.size >= maxWaiting) {
      throw new QueueFullError(
        `${maxWaiting} reads already wait for the first connection to a replica (pool.maxWaiting). ` +
          'The statement was not sent. Wait for ready() before sending load.',
      );
    }
    await this.#gate.wait(deadline);
  }

  /** While the primary is away too, whichever comes back first gets the read. */
  async #readOnPrimary<T>(
    deadline: Deadline,
    run: (connection: Connection) => Promise<T>,
    timed: boolean,
  ): Promise<T> {
    const { primary } = this.#choice;
    if (this.#options.primary.available) return await primary.read(deadline, run, { timed });
    return await unlessReplicaReturns(this.#options.replicas, deadline, (either, started) => {
      const begin = (connection: Connection): Promise<T> => {
        started();
        return run(connection);
      };
      return primary.read(either, begin, { timed });
    });
  }

  /** Waits until the next try may begin, or throws the failure when there is to be none. */
  async #beforeRetry({ failure, attempt, excluded, deadline, trace }: FailedRead): Promise<void> {
    try {
      await this.#options.retries.beforeNext({
        failure,
        attempt,
        role: 'replica',
        operation: 'read',
        idempotent: true,
        server: trace.server,
        deadline,
        mayRetry: true,
        elsewhere: attempt === 1 && this.#choice.next(excluded) !== undefined,
      });
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
      trace.why = error.why;
      throw new Failed(error.failure);
    }
  }
}

interface FailedRead {
  readonly failure: Failure;
  readonly attempt: number;
  readonly excluded: readonly ReadTarget[];
  readonly deadline: Deadline;
  readonly trace: ReadTrace;
}
