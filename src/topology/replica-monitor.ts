import { ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { isRestart, sameIdentity } from '../pool/identity.ts';
import { Limiter } from '../pool/limiter.ts';
import { Deadline } from '../resilience/deadline.ts';
import type { Failed } from '../resilience/failed.ts';
import type { Failure, FailureKind } from '../resilience/failures.ts';

/** What a monitor needs to know of its server, and whom it tells. */
export interface Monitored {
  readonly name: string;
  /** Opens a connection for the monitor. Rejects with {@link Failed}. */
  open(deadline: Deadline): Promise<Connection>;
  /** Reads under way, those included that wait for a connection, and answers to reads so far. */
  activity(): { readonly inFlight: number; readonly answers: number };
  /** Whether another server could take over the reads that wait here. */
  replaceable(): boolean;
  /** The server answered the login of a new connection, or the probe. */
  answered(): void;
  /** The server cannot be reached or has stopped answering. Told again with each further failure. */
  unreachable(failure: Failure): void;
  /** The server lives and let no further connection in: those that are open are as good as before. */
  turnedAway(failure: Failure): void;
  /** Asks it something; default: nothing but whether it lives. A rejection ends the connection. */
  probe?(connection: Connection, limit: Deadline): Promise<void>;
}

export interface MonitorSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

interface Question {
  readonly kind: 'dial' | 'probe';
  readonly answersBefore: number;
  ticks: number;
}

const probe = ownCommand('DO 1');

/** The share by which intervals differ, so that processes that start together do not probe together. */
const jitter = 0.2;

/** First pause after a failed dial; doubles up to the interval. */
const firstPauseMs = 50;

const killTimeoutMs = 1_000;

/** After this many intervals the connection is replaced: only a new one shows that the address leads elsewhere now. */
const intervalsPerConnection = 30;

/** What only a server that lives can say. */
const turnedAwayKinds: ReadonlySet<FailureKind> = new Set(['overloaded', 'host-blocked', 'access']);

/**
 * Watches one server that serves reads, over a connection of its own that is also the one to kill statements from.
 *
 * Silence is counted in ticks of the event loop rather than by the clock: a process that was blocked itself has not
 * listened, and must not take that for the silence of every server it knows.
 */
export class ReplicaMonitor {
  readonly #server: Monitored;
  readonly #settings: MonitorSettings;
  readonly #tickMs: number;
  readonly #life = new AbortController();
  readonly #turns = new Limiter(1);
  #connection: Connection | undefined;
  #question: Question | undefined;
  #answersAtTick = 0;
  #silentTicks = 0;
  #nextAt = 0;
  #renewAt = Number.POSITIVE_INFINITY;
  #pauseMs = firstPauseMs;
  #turnedAway = false;
  #reported = false;

  /** `tickMs`: how often {@link tick} is called. */
  constructor(server: Monitored, settings: MonitorSettings, tickMs: number) {
    this.#server = server;
    this.#settings = settings;
    this.#tickMs = tickMs;
  }

  /** To be called every `tickMs`; the first time opens the connection. */
  tick(now = performance.now()): void {
    const { inFlight, answers } = this.#server.activity();
    const quiet = answers === this.#answersAtTick;
    this.#answersAtTick = answers;
    this.#silentTicks = quiet && (inFlight > 0 || this.#question !== undefined) ? this.#silentTicks + 1 : 0;

    if (this.#question !== undefined) {
      this.#question.ticks += 1;
      this.#checkPatience(this.#question, inFlight, answers);
    } else if (now >= this.#nextAt || this.#readsAreStuck(inFlight)) {
      this.#ask();
    }
    if (now >= this.#renewAt) void this.#renew();
  }

  /** Somebody met trouble at this server: asks at once. */
  look(): void {
    if (this.#question === undefined && this.#connection !== undefined) this.#ask();
  }

  /** Takes over a connection that leads to the server which answers at this address now. */
  adopt(connection: Connection): void {
    if (this.#life.signal.aborted || !connection.usable) {
      connection.quit();
      return;
    }
    const previous = this.#connection;
    const unanswered = this.#question !== undefined;
    this.#connection = connection;
    this.#question = undefined;
    this.#renewAt = this.#inIntervals(intervalsPerConnection);
    connection.onEnd = () => this.#ended(connection);
    if (unanswered) previous?.destroy();
    else previous?.quit();
    this.#settle();
    this.#server.answered();
  }

  /**
   * Stops the statement that runs on `victim`. Rejects when that cannot be ordered: the order goes out only to the same
   * server in the same life, since connection ids are small integers which belong to somebody else anywhere else.
   */
  async kill(victim: Connection): Promise<void> {
    const deadline = new Deadline(killTimeoutMs);
    await this.#turns.run(async () => {
      const control = this.#connection;
      if (control === undefined || !victim.usable || !sameServer(control, victim)) {
        throw new Error(
          `no control connection to the server of connection ${victim.id} on ${this.#server.name}`,
        );
      }
      await control.run(ownCommand(`KILL QUERY ${victim.id}`), deadline);
    }, deadline);
  }

  stop(): void {
    this.#life.abort();
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#question === undefined) connection?.quit();
    else connection?.destroy();
  }

  /** With reads waiting, silence is looked into, and a question given up, after a quarter of the time-out. */
  get #earlyMs(): number {
    return this.#settings.timeoutMs / 4;
  }

  #silentMs(ticks: number): number {
    return ticks * this.#tickMs;
  }

  #readsAreStuck(inFlight: number): boolean {
    return (
      inFlight > 0 && this.#connection !== undefined && this.#silentMs(this.#silentTicks) >= this.#earlyMs
    );
  }

  #checkPatience(question: Question, inFlight: number, answers: number): void {
    const patienceMs = inFlight > 0 && this.#server.replaceable() ? this.#earlyMs : this.#settings.timeoutMs;
    if (this.#silentMs(Math.min(question.ticks, this.#silentTicks)) >= patienceMs) {
      this.#giveUp(
        question,
        `${this.#server.name} has not answered for ${this.#silentMs(this.#silentTicks)} ms`,
      );
    } else if (question.kind === 'probe' && answers !== question.answersBefore) {
      // The server lives; only this connection does not.
      if (this.#silentMs(question.ticks) >= this.#settings.timeoutMs) this.#connection?.destroy();
    }
  }

  /** A dial goes on: an abandoned login would only be counted against this host, and its success is the recovery. */
  #giveUp(question: Question, message: string): void {
    if (question.kind === 'probe') this.#connection?.destroy();
    // Turned away before, this dial may itself be waiting until the address may be asked again.
    if (this.#reported || (question.kind === 'dial' && this.#turnedAway)) return;
    this.#reported = true;
    this.#server.unreachable({
      kind: 'lost',
      outcome: 'unknown',
      message,
      cause: undefined,
      connection: 'destroy',
    });
  }

  #ask(): void {
    if (this.#life.signal.aborted) return;
    const connection = this.#connection;
    const { answers } = this.#server.activity();
    const question: Question = {
      kind: connection === undefined ? 'dial' : 'probe',
      answersBefore: answers,
      ticks: 0,
    };
    this.#question = question;
    const limit = new Deadline(Number.POSITIVE_INFINITY, this.#life.signal);
    if (connection === undefined) void this.#dial(question, limit);
    else void this.#probe(connection, limit);
  }

  async #dial(question: Question, limit: Deadline): Promise<void> {
    try {
      const connection = await this.#server.open(limit);
      if (this.#question === question || this.#connection === undefined) this.adopt(connection);
      else connection.quit();
    } catch (error) {
      if (this.#question === question) this.#dialFailed(question, error as Failed);
    }
  }

  /** Beside the probes, which go on: what becomes of it says nothing unless it succeeds. */
  async #renew(): Promise<void> {
    this.#renewAt = Number.POSITIVE_INFINITY;
    try {
      this.adopt(await this.#server.open(new Deadline(Number.POSITIVE_INFINITY, this.#life.signal)));
    } catch {
      this.#renewAt = this.#inIntervals(intervalsPerConnection);
    }
  }

  #dialFailed(question: Question, error: Failed): void {
    this.#question = undefined;
    if (this.#life.signal.aborted) return;
    this.#nextAt = performance.now() + this.#pauseMs * (1 - jitter * Math.random());
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#settings.intervalMs);
    const { failure } = error;
    this.#turnedAway = turnedAwayKinds.has(failure.kind);
    const lives = this.#turnedAway || this.#server.activity().answers !== question.answersBefore;
    if (lives) this.#server.turnedAway(failure);
    else this.#server.unreachable(failure);
  }

  async #probe(connection: Connection, limit: Deadline): Promise<void> {
    try {
      await this.#turns.run(async () => {
        if (this.#server.probe === undefined) await connection.run(probe, limit);
        else await this.#server.probe(connection, limit);
      });
      if (this.#connection !== connection) return;
      this.#question = undefined;
      this.#settle();
      this.#server.answered();
    } catch {
      // Its end is told by onEnd. A server that answers this with an error takes no work (offline mode): dialling tells.
      connection.destroy();
    }
  }

  #settle(): void {
    this.#nextAt = this.#inIntervals(1);
    this.#pauseMs = firstPauseMs;
    this.#silentTicks = 0;
    this.#turnedAway = false;
    this.#reported = false;
  }

  #inIntervals(count: number): number {
    return performance.now() + count * this.#settings.intervalMs * (1 - jitter * Math.random());
  }

  #ended(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#question = undefined;
    this.#ask();
  }
}

function sameServer(control: Connection, victim: Connection): boolean {
  return (
    sameIdentity(control.facts.identity, victim.facts.identity) &&
    !isRestart(victim.facts.startedAtMs, control, 0)
  );
}
