import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Epoch } from './epoch.ts';
import { HeartbeatClock } from './heartbeat-clock.ts';
import { type HeartbeatTable, heartbeatQuery, heartbeatRemedy, heartbeatWrite } from './heartbeat-table.ts';
import { LagComplaints, type LagProblem } from './lag-complaints.ts';
import { failureOf } from './lag-source.ts';

/** What the heartbeat has to know of the primary. */
export interface HeartbeatPrimary {
  /** The primary in its present life, while operations run on it. */
  readonly openEpoch: Epoch | undefined;
  readonly writers: { readonly heldBecause: string | undefined };
}

export interface HeartbeatOptions {
  readonly table: HeartbeatTable;
  readonly intervalMs: number;
  /** This process writes where nobody else does. */
  readonly writes: boolean;
  readonly primary: HeartbeatPrimary;
  readonly events: ClusterEmitter;
  /** The primary has shown a new heartbeat. */
  readonly onBeat: () => void;
}

/** Who waits longer for an answer learns nothing from it; the connection is given up then. */
const answerTimeoutMs = 5_000;

/** The next try after one that failed. */
const failurePauseMs = 2_000;

/** A commit that waits for the standby keeps its row locked: others must not queue up behind it. */
const shortLockWait = 'SET SESSION innodb_lock_wait_timeout = 1';

/** A heartbeat as old as this many intervals, and at least ten seconds, is nobody's heartbeat any more. */
const silentIntervals = 10;

const shortestSilenceMs = 10_000;

/** By how much intervals differ, so that of several processes one writes first and the others see it. */
const jitter = 0.2;

/** Follows the heartbeats on the primary, and writes them if asked to: on the primary of the open epoch only. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #complaints: LagComplaints;
  #epoch: Epoch | undefined;
  #clock = new HeartbeatClock();
  #begunAt = 0;
  #askedAt: number | undefined;
  #beating = false;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#complaints = new LagComplaints(options.events);
  }

  get table(): HeartbeatTable {
    return this.#options.table;
  }

  /** What the primary of the last epoch has shown. */
  get clock(): HeartbeatClock {
    return this.#clock;
  }

  /** Asks a replica for the heartbeat of that primary; `undefined` while there was none. */
  get query(): string | undefined {
    return this.#epoch && heartbeatQuery(this.table, serverIdOf(this.#epoch));
  }

  /** To be called often; asks the primary when it is time to. */
  tick(now: number): void {
    const { openEpoch } = this.#options.primary;
    if (openEpoch === undefined) return;
    if (openEpoch !== this.#epoch) this.#begin(openEpoch);
    if (!this.#beating && now >= this.#nextAt) void this.#beat(openEpoch);
  }

  #begin(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#clock = new HeartbeatClock();
    this.#begunAt = performance.now();
    this.#askedAt = undefined;
    this.#beating = false;
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }

  async #beat(epoch: Epoch): Promise<void> {
    const { intervalMs } = this.#options;
    this.#beating = true;
    let pauseMs = intervalMs * (1 - jitter * Math.random());
    let problem: LagProblem | undefined;
    try {
      await this.#look(epoch);
      problem = this.#silence();
    } catch (error) {
      const { errno, message } = failureOf(error);
      const remedy = heartbeatRemedy(this.table, errno, this.#options.writes);
      problem = remedy === undefined ? this.#silence(message) : { reason: message, remedy };
      pauseMs = Math.max(pauseMs, failurePauseMs);
    }
    if (epoch !== this.#epoch) return;
    this.#beating = false;
    this.#nextAt = performance.now() + pauseMs;
    this.#complaints.note(epoch.server, problem);
  }

  /** Writes only when nobody has since the last look. */
  async #look(epoch: Epoch): Promise<void> {
    if ((await this.#sample(epoch, this.#askedAt)) || !this.#mayWrite(epoch)) return;
    await epoch.control.ask(shortLockWait, answerTimeoutMs);
    if (!this.#mayWrite(epoch)) return;
    const begunAt = performance.now();
    await epoch.control.ask(heartbeatWrite(this.table, serverIdOf(epoch)), answerTimeoutMs);
    await this.#sample(epoch, begunAt);
  }

  /** Returns whether there is a new heartbeat. `notBefore`: see {@link HeartbeatClock.saw}. */
  async #sample(epoch: Epoch, notBefore: number | undefined): Promise<boolean> {
    const askedAt = performance.now();
    const row = await epoch.control.ask(heartbeatQuery(this.table, serverIdOf(epoch)), answerTimeoutMs);
    if (epoch !== this.#epoch) return false;
    this.#askedAt = askedAt;
    const isNew = typeof row?.ts === 'string' && this.#clock.saw(row.ts, askedAt, notBefore);
    if (isNew) this.#options.onBeat();
    return isNew;
  }

  #mayWrite(epoch: Epoch): boolean {
    const { writes, primary } = this.#options;
    return writes && primary.openEpoch === epoch && primary.writers.heldBecause === undefined;
  }

  /** `message`: what went wrong this time. */
  #silence(message?: string): LagProblem | undefined {
    const { intervalMs, writes } = this.#options;
    const { seenAt } = this.#clock;
    const silentMs = performance.now() - (seenAt ?? this.#begunAt);
    if (silentMs < Math.max(shortestSilenceMs, silentIntervals * intervalMs)) return undefined;
    const why = message === undefined ? '' : `: ${message}`;
    const reason = `its heartbeat has not been written for ${Math.round(silentMs)} ms${why}`;
    return { reason, remedy: writes ? remedies.own : remedies.others };
  }
}

function serverIdOf({ facts }: Epoch): number {
  return facts.identity.serverId;
}

const remedies = {
  own: 'Look for what keeps the primary from writing; replicas count as old meanwhile.',
  others: 'Let pt-heartbeat write to the VIP, or switch lag.writeHeartbeat on.',
};
