import type { InterruptionReason } from '../observe/events.ts';
import { type Answer, firstRow, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Connector } from '../pool/connector.ts';
import { Limiter } from '../pool/limiter.ts';
import { isWritable, writabilityStatement } from '../pool/session.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { startTimer } from '../resilience/timer.ts';
import type { Floor } from './epoch.ts';
import { Probe } from './probe.ts';
import { eagerGapMs, nextProbeGapMs } from './probe-pace.ts';

export interface VipWatchOptions {
  readonly connector: Connector;
  readonly heartbeatMs: number;
  /** What the primary's pools are doing: statements under way, and answers so far. */
  readonly activity: () => { readonly inUse: number; readonly answers: number };
  /** What a login that begins now may be compared with. */
  readonly floor: () => Floor | undefined;
  /** Somebody answers at the VIP; called for every newer connection and every beat, in the order of dialling. */
  readonly onSighting: (sighting: Sighting) => void;
  /** Nobody answers at the VIP, or nobody lets us in. */
  readonly onSilence: (reason: InterruptionReason, failure: Failure) => void;
}

export interface Sighting {
  readonly connection: Connection;
  readonly writable: boolean;
  /** What {@link VipWatchOptions.floor} was when a new connection was dialled; nothing for a beat of one known already. */
  readonly floor: Floor | undefined;
}

type Beat = { readonly startedAt: number; readonly answersBefore: number };

/** While the VIP answers read-only it is asked this often: the notify scripts run 30 to 330 ms after the address has moved. */
const unsettledTickMs = 50;

/** The watch's connection is replaced this often, so that it cannot outlive a change that only new connections see. */
const renewAfterMs = 30_000;

/**
 * Finds out who answers at the VIP. It asks on a connection of its own, and dials anew as soon as an answer is late:
 * after a move the address is healthy while every older socket is dead, so only a new connection tells.
 */
export class VipWatch {
  readonly #options: VipWatchOptions;
  readonly #turns = new Limiter(1);
  readonly #life = new AbortController();
  #connection: Connection | undefined;
  #adoptedAt = 0;
  #beat: Beat | undefined;
  #lastBeatAt = 0;
  #settled = false;
  /** Dials are numbered; a connection is only believed when it was dialled after the one believed last. */
  #lastOrder = 0;
  #believedOrder = 0;
  readonly #probes = new Set<Probe>();
  #lastProbeAt = Number.NEGATIVE_INFINITY;
  #lastEagerAt = Number.NEGATIVE_INFINITY;
  #lookingSince: number | undefined = 0;
  #answersAtTick = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: VipWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.look();
    this.#schedule();
  }

  stop(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    this.#connection?.quit();
    this.#connection = undefined;
  }

  /** The connection over which statements on the same server can be killed. */
  get control(): Connection | undefined {
    return this.#connection;
  }

  /**
   * Runs a statement on `control`, between two beats. Rejects when another connection, which may lead elsewhere, has
   * taken its place or the time is up before its turn comes.
   */
  command(text: string, control: Connection, deadline: Deadline): Promise<Answer> {
    return this.#turns.run(async () => {
      if (this.#connection !== control) throw new Error('the control connection is gone');
      return await control.run(ownCommand(text), deadline);
    }, deadline);
  }

  /**
   * Asks the server that was believed last for one row, between two beats and without a limit: an answer that is late
   * makes the watch dial. `undefined` when the connection ended or was replaced meanwhile. Rejects with {@link Failed}
   * when the server refuses.
   */
  async ask(text: string): Promise<Record<string, unknown> | undefined> {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    try {
      const limit = new Deadline(Number.POSITIVE_INFINITY, this.#life.signal);
      return firstRow(await this.command(text, connection, limit)) ?? {};
    } catch (error) {
      if (this.#connection !== connection || !connection.usable) return undefined;
      throw error;
    }
  }

  /** The number of a dial that begins now; see {@link offer}. */
  nextOrder(): number {
    this.#lastOrder += 1;
    return this.#lastOrder;
  }

  /** Takes a connection that was dialled as number `order` and leads to another server than expected. */
  offer(connection: Connection, order: number, floor: Floor): void {
    this.#believe(connection, order, floor);
  }

  /** Dials at once: somebody met trouble at the VIP. */
  look(): void {
    if (this.#life.signal.aborted) return;
    this.#lookingSince ??= performance.now();
    this.#probeIfDue();
  }

  #schedule(): void {
    const { heartbeatMs } = this.#options;
    const tickMs = this.#settled ? heartbeatMs / 4 : Math.min(unsettledTickMs, heartbeatMs / 4);
    this.#timer = startTimer(tickMs, () => {
      if (this.#life.signal.aborted) return;
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    const now = performance.now();
    const { heartbeatMs, activity } = this.#options;
    const { inUse, answers } = activity();
    const stalled = inUse > 0 && answers === this.#answersAtTick;
    this.#answersAtTick = answers;

    if (this.#connection === undefined) this.look();
    else if (this.#beat !== undefined) this.#checkBeat(this.#beat, answers, now);
    else if (!this.#settled || stalled || now - this.#lastBeatAt >= heartbeatMs) this.#sendBeat(answers, now);
    else if (now - this.#adoptedAt > renewAfterMs) this.look();
    if (this.#lookingSince !== undefined) this.#probeIfDue();
  }

  #checkBeat(beat: Beat, answers: number, now: number): void {
    const { heartbeatMs, connector, onSilence } = this.#options;
    const lateMs = now - beat.startedAt;
    // Answers on other connections of this epoch prove that the server lives and is only slow.
    const silent = answers === beat.answersBefore;
    if (lateMs >= (silent ? heartbeatMs / 4 : heartbeatMs * 2)) this.look();
    if (lateMs >= heartbeatMs && silent) {
      connector.forgetRefusals();
      onSilence('unanswered', silence(`no answer to the heartbeat for ${Math.round(lateMs)} ms`));
    }
  }

  #sendBeat(answersBefore: number, now: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const beat: Beat = { startedAt: now, answersBefore };
    this.#beat = beat;
    this.#lastBeatAt = now;
    // No limit: while others are answered it is no harm, and a newer connection ends it.
    const limit = new Deadline(Number.POSITIVE_INFINITY, this.#life.signal);
    this.#turns
      .run(() => connection.run(ownCommand(writabilityStatement(connection.facts.vendor)), limit))
      .then(
        (answer) => {
          if (this.#connection !== connection) return;
          this.#report({ connection, writable: isWritable(firstRow(answer) ?? {}), floor: undefined });
        },
        () => {
          // The end of the connection is told by onEnd; a server error on this question shows in the next beat's.
        },
      )
      .finally(() => {
        if (this.#beat === beat) this.#beat = undefined;
      });
  }

  #probeIfDue(): void {
    const now = performance.now();
    if (this.#lookingSince === undefined) return;
    const lookingMs = now - this.#lookingSince;
    const gapMs = nextProbeGapMs({
      heartbeatMs: this.#options.heartbeatMs,
      underWay: this.#probes.size,
      silentMs: Math.min(...[...this.#probes].map((probe) => probe.silentMs(now))),
      lookingMs,
    });
    if (now - this.#lastProbeAt < gapMs) return;
    this.#lastProbeAt = now;
    const order = this.nextOrder();
    const floor = this.#options.floor();
    const deadline = new Deadline(Number.POSITIVE_INFINITY, this.#life.signal);
    const probe = new Probe();
    this.#probes.add(probe);
    this.#options.connector
      .connect({ readOnly: false, deadline, onConnected: (socket) => probe.connected(socket) })
      .finally(() => {
        this.#probes.delete(probe);
      })
      .then(
        (connection) => this.#believe(connection, order, floor),
        (error: unknown) => this.#probeFailed(error, probe.isConnected && performance.now() - now > gapMs),
      );
  }

  #probeFailed(error: unknown, afterWaiting: boolean): void {
    if (!(error instanceof Failed) || this.#life.signal.aborted) return;
    const now = performance.now();
    if (afterWaiting && now - this.#lastEagerAt >= eagerGapMs(this.#options.heartbeatMs)) {
      // A socket that waited for its greeting and is reset now was left behind by a move: somebody new answers.
      this.#lastEagerAt = now;
      this.#lastProbeAt = Number.NEGATIVE_INFINITY;
      this.#probeIfDue();
    }
    if (this.#connection !== undefined) return;
    this.#options.onSilence(
      error.failure.kind === 'access' ? 'access-denied' : 'connect-failed',
      error.failure,
    );
  }

  #believe(connection: Connection, order: number, floor: Floor | undefined): void {
    if (order <= this.#believedOrder || this.#life.signal.aborted || !connection.usable) {
      connection.quit();
      return;
    }
    const previous = this.#connection;
    const unanswered = this.#beat !== undefined;
    this.#believedOrder = order;
    this.#connection = connection;
    this.#adoptedAt = performance.now();
    this.#lastBeatAt = this.#adoptedAt;
    this.#beat = undefined;
    this.#lookingSince = undefined;
    connection.onEnd = () => this.#ended(connection);
    if (unanswered) previous?.destroy();
    else previous?.quit();
    // What the sighting makes others ask goes first.
    this.#report({ connection, writable: connection.facts.writable, floor });
    this.#pin(connection);
  }

  /** Inside a transaction a proxy that splits reads from writes keeps the connection on the writer. */
  #pin(connection: Connection): void {
    const limit = new Deadline(Number.POSITIVE_INFINITY, this.#life.signal);
    this.#turns
      .run(() => connection.run(ownCommand('START TRANSACTION'), limit))
      .catch(() => {
        // The end of the connection is told by onEnd.
      });
  }

  #report(sighting: Sighting): void {
    this.#settled = sighting.writable;
    this.#options.onSighting(sighting);
  }

  #ended(connection: Connection): void {
    if (this.#connection !== connection || this.#life.signal.aborted) return;
    this.#connection = undefined;
    this.#settled = false;
    this.#beat = undefined;
    this.#options.connector.forgetRefusals();
    this.#options.onSilence('connection-lost', silence('the connection of the watch was lost'));
    this.look();
  }
}

function silence(message: string): Failure {
  return { kind: 'connect', outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}
