import type { Endpoint, ResolvedConfig } from '../config/types.ts';
import { ClosedError } from '../errors/errors.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Connection } from '../pool/connection.ts';
import { Connector } from '../pool/connector.ts';
import type { Identity } from '../pool/identity.ts';
import type { Pool } from '../pool/pool.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { interruptedWait, isInterrupted } from '../resilience/interruption.ts';
import { CatchUp } from './catch-up.ts';
import { Epoch, type GuestKind } from './epoch.ts';
import { PositionTracking } from './position-tracking.ts';
import { isHopeless, PrimaryGate } from './primary-gate.ts';
import { SessionKill } from './session-kill.ts';
import { type PrimaryState, Succession } from './succession.ts';
import { VipWatch } from './vip-watch.ts';
import { WriteHold } from './write-hold.ts';
import { Writers } from './writers.ts';

export interface PrimaryOptions {
  readonly config: ResolvedConfig;
  readonly events: ClusterEmitter;
  readonly onHostBlocked: (endpoint: Endpoint) => void;
  /** Told which server is the primary now. */
  readonly onIdentity: (identity: Identity) => void;
}

/** A snapshot of the primary. */
export interface PrimaryStatus {
  readonly state: PrimaryState['kind'];
  readonly address: string;
  readonly server: string | undefined;
  readonly epoch: number | undefined;
  readonly open: number;
  readonly inUse: number;
  /** Operations waiting for a connection. */
  readonly waiting: number;
  /** Operations waiting for the primary to answer. */
  readonly waitingForPrimary: number;
  /** Why writes wait although the primary is open: two writers were seen, and `failover.twoWriters` is `'stop'`. */
  readonly heldBecause: string | undefined;
}

/** What somebody wants a connection for, and until when. */
interface Request {
  readonly deadline: Deadline;
  readonly poolOf: (epoch: Epoch) => Pool;
  readonly onlyReads: boolean;
}

/** A failed connect is tried again after this pause; the watch looks meanwhile. */
const reconnectPauseMs = 20;

/** The server behind the VIP: which one it is, whether it may be used now, and the connections to it. */
export class Primary {
  /** Who writes, and who should not. */
  readonly writers: Writers;
  readonly #options: PrimaryOptions;
  readonly #connector: Connector;
  readonly #watch: VipWatch;
  readonly #kill: SessionKill;
  readonly #succession: Succession;
  readonly #tracking: PositionTracking;
  /** The epoch whose server was told of last. */
  #introduced = 0;
  readonly #gate: PrimaryGate;
  /** What runs on connections that are held by guests. */
  #guestsRunning = 0;

  constructor(options: PrimaryOptions) {
    const { config, events, onHostBlocked } = options;
    this.#options = options;
    const { endpoint, credentials } = config.primary;
    this.#connector = new Connector({
      endpoint,
      credentials,
      session: config.session,
      role: 'primary',
      tcpTimeoutMs: config.tcpTimeoutMs,
      loginTimeoutMs: config.loginTimeoutMs,
      onHostBlocked,
    });
    const { catchUpMs, maxWaiting } = config.failover;
    this.#tracking = new PositionTracking(events, catchUpMs > 0 && !config.primary.proxied);
    this.#succession = new Succession({
      events,
      createEpoch: (number, witness) => this.#createEpoch(number, witness),
      catchUp: new CatchUp({ catchUpMs, tracking: this.#tracking, ask: (text) => this.#watch.ask(text) }),
      onOpen: (epoch) => this.#opened(epoch),
      onInterrupted: (failure) => this.#interrupted(failure),
    });
    const succession = this.#succession;
    this.#gate = new PrimaryGate({
      address: endpoint.name,
      maxWaiting,
      hindrance: () => succession.hindrance,
      held: () => (this.available ? this.writers.heldBecause : undefined),
    });
    this.#watch = new VipWatch({
      connector: this.#connector,
      heartbeatMs: config.failover.heartbeatMs,
      activity: () => ({
        inUse: (succession.epoch?.inUse ?? 0) + this.#guestsRunning,
        answers: succession.epoch?.answers ?? 0,
      }),
      floor: () => succession.epoch?.floor,
      onSighting: (sighting) => {
        this.writers.sighted(sighting);
        succession.sighted(sighting);
      },
      onSilence: (reason, failure) => succession.interrupt(reason, failure),
    });
    this.#kill = new SessionKill(this.#watch, config.primary.proxied);
    this.writers = new Writers({
      events,
      twoWriters: config.failover.twoWriters,
      proxied: config.primary.proxied,
      lookAtVip: () => this.#watch.look(),
      hold: new WriteHold({ onBegin: () => this.#hold(), onEnd: () => this.#gate.serveAll() }),
    });
  }

  start(): void {
    this.#watch.start();
  }

  /** `host:port` of the VIP. */
  get address(): string {
    return this.#connector.endpoint.name;
  }

  /** The identity of the primary, once one was found. */
  get identity(): Identity | undefined {
    return this.#succession.epoch?.facts.identity;
  }

  /** Resolves once a primary answers and accepts writes. Rejects with the error of the deadline. */
  async ready(deadline: Deadline): Promise<void> {
    for (;;) {
      const { state } = this.#succession;
      if (state.kind === 'open') return;
      if (state.kind === 'closed') throw closedError();
      await this.#gate.waitForReady(deadline);
    }
  }

  /** The primary in its present life, while operations run on it. */
  get openEpoch(): Epoch | undefined {
    const { state } = this.#succession;
    return state.kind === 'open' ? state.epoch : undefined;
  }

  /** A session needs a position that the primary has not told. */
  missPosition(): void {
    const epoch = this.openEpoch;
    if (epoch !== undefined) this.#tracking.missed(epoch.server, epoch.facts.withoutPositions);
  }

  /** Whether operations run now rather than wait. */
  get available(): boolean {
    return this.#succession.state.kind === 'open';
  }

  /**
   * Lends a writable connection of the current epoch to `run` and takes it back when that settles. Waits for a primary
   * and for a free connection until the deadline. Rejects with {@link Failed} (outcome `not-executed`), with
   * {@link QueueFullError}, with {@link ClosedError}, or with what `run` rejects with. What provably only reads does
   * not wait while two writers are feared: `onlyReads`.
   */
  use<T>(deadline: Deadline, run: (connection: Connection) => Promise<T>, onlyReads = false): Promise<T> {
    return this.#use({ deadline, poolOf: (epoch) => epoch.pool, onlyReads }, run);
  }

  /** The same with a READ ONLY session, at most `fallbackMax` at once: for reads that found no replica. */
  read<T>(deadline: Deadline, run: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#use({ deadline, poolOf: (epoch) => epoch.readers, onlyReads: true }, run);
  }

  /**
   * Opens a writable connection of the current epoch for a pool of another library's, which gives it back by `release`
   * when it wants to keep it no more. It dies with its epoch. Rejects as {@link use} does.
   */
  async lend(deadline: Deadline, kind: GuestKind = 'counts-found'): Promise<Connection> {
    const poolOf = (epoch: Epoch): Pool => epoch.guests(kind);
    const connection = await this.#borrow({ deadline, poolOf, onlyReads: true });
    connection.tainted = true;
    return connection;
  }

  /**
   * Lends one of the connections that {@link use} takes, until its `release`. While two writers are feared it is lent
   * all the same: {@link admit} has to be asked before each statement. Rejects as {@link use} does.
   */
  borrow(deadline: Deadline): Promise<Connection> {
    return this.#borrow({ deadline, poolOf: (epoch) => epoch.pool, onlyReads: true });
  }

  /** Whether what {@link use} would run may run now. @throws {@link ClosedError} */
  admits(onlyReads = false): boolean {
    const { state } = this.#succession;
    if (state.kind === 'closed') throw closedError();
    return state.kind === 'open' && (onlyReads || this.writers.heldBecause === undefined);
  }

  /** Waits until what {@link use} would run may run. Rejects as that does. */
  async admit(deadline: Deadline, onlyReads = false): Promise<void> {
    while (!this.admits(onlyReads)) await this.#gate.wait(deadline);
  }

  /** Runs something on a connection that {@link lend} or {@link borrow} has given. Rejects with what `run` rejects with. */
  async onGuest<T>(connection: Connection, run: (connection: Connection) => Promise<T>): Promise<T> {
    this.#guestsRunning += 1;
    try {
      return await run(connection);
    } catch (error) {
      this.#noteFailure(error, connection);
      throw error;
    } finally {
      this.#guestsRunning -= 1;
    }
  }

  /** {@link SessionKill.session} */
  async terminate(victim: Connection): Promise<void> {
    await this.#kill.session(victim);
  }

  /** Reads of {@link read} under way. */
  get inFlight(): number {
    return this.#succession.epoch?.readersInUse ?? 0;
  }

  status(): PrimaryStatus {
    const { epoch } = this.#succession;
    return {
      state: this.#succession.state.kind,
      address: this.address,
      server: epoch?.server,
      epoch: epoch?.number,
      open: epoch?.pool.open ?? 0,
      inUse: epoch?.inUse ?? 0,
      waiting: epoch?.pool.waiting ?? 0,
      waitingForPrimary: this.#gate.size,
      heldBecause: this.writers.heldBecause,
    };
  }

  close(failure: Failure): void {
    this.#succession.close(failure);
    this.writers.stop();
    this.#gate.close(closedError());
    this.#watch.stop();
    this.#connector.close();
  }

  async #use<T>(request: Request, run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#borrow(request);
    try {
      return await run(connection);
    } catch (error) {
      this.#noteFailure(error, connection);
      throw error;
    } finally {
      connection.release();
    }
  }

  /** Failures after which the VIP may lead elsewhere make the watch look. */
  #noteFailure(error: unknown, { epoch }: Connection): void {
    if (error instanceof Failed && troubleKinds.has(error.failure.kind)) {
      this.#noteTrouble(error.failure, epoch);
    }
  }

  #noteTrouble(failure: Failure | undefined, epoch: number | undefined): void {
    if (epoch !== this.#succession.epoch?.number) return;
    // Until the watch has seen a writable server again every further write would only be refused too.
    if (failure?.kind === 'read-only') this.#succession.interrupt('read-only', failure);
    this.#watch.look();
  }

  async #borrow({ deadline, poolOf, onlyReads }: Request): Promise<Connection> {
    let queued = false;
    for (;;) {
      const { state } = this.#succession;
      if (this.admits(onlyReads) && state.kind === 'open') {
        const pool = poolOf(state.epoch);
        try {
          return await pool.acquire(deadline, queued);
        } catch (error) {
          if (!(error instanceof Failed) || isInterrupted(error.failure)) throw error;
          // Where no new connection is to be had, one of those that are open comes free.
          if (isHopeless(error.failure) && pool.open === 0) throw error;
          if (this.#succession.state === state) {
            this.#watch.look();
            await this.#pause(deadline, error.failure);
          }
        }
      } else {
        await this.#gate.wait(deadline);
      }
      queued = true;
    }
  }

  async #pause(deadline: Deadline, failure: Failure): Promise<void> {
    const interruption = await deadline.sleep(reconnectPauseMs);
    if (interruption !== undefined)
      throw new Failed(interruptedWait(interruption, 'failover', failure.message));
  }

  /** Who waits for a connection to write waits for the end of the hold instead; who has one goes on. */
  #hold(): void {
    const message = this.writers.heldBecause ?? '';
    this.#succession.epoch?.pool.refuseWaiting({ ...heldFailure, message });
  }

  #createEpoch(number: number, witness: Connection): Epoch {
    const { config } = this.#options;
    return new Epoch({
      number,
      witness,
      connector: this.#connector,
      proxied: config.primary.proxied,
      pool: config.pool.primary,
      fallbackMax: config.fallbackMax,
      kill: (victim) => this.#kill.query(victim),
      positions: ({ server, facts }) => this.#tracking.listener(server, facts),
      ask: (text) => this.#watch.ask(text),
      interruption: () => this.#succession.interruption,
      nextOrder: () => this.#watch.nextOrder(),
      onStranger: (connection, order, floor) => this.#watch.offer(connection, order, floor),
      onTrouble: (failure) => this.#noteTrouble(failure, number),
    });
  }

  #opened(epoch: Epoch): void {
    if (epoch.number !== this.#introduced) this.#introduce(epoch);
    this.writers.opened(epoch.number, epoch.facts);
    this.#gate.serveAll();
  }

  #introduce({ number, facts, server }: Epoch): void {
    const { config, events, onIdentity } = this.#options;
    this.#introduced = number;
    onIdentity(facts.identity);
    const { maxConnections } = facts;
    const poolMax = config.pool.primary.max;
    if (poolMax > maxConnections) events.emit('pool:too-large', { server, poolMax, maxConnections });
  }

  #interrupted(failure: Failure): void {
    this.writers.interrupted();
    this.#succession.epoch?.refuseWaiting(failure);
    this.#gate.refuseHopeless(failure);
  }
}

const heldFailure = {
  kind: 'connect',
  outcome: 'not-executed',
  cause: undefined,
  connection: 'destroy',
} as const;

/** Failures of a statement after which the VIP may lead elsewhere. */
const troubleKinds: ReadonlySet<Failure['kind']> = new Set(['lost', 'read-only', 'offline', 'timeout']);

function closedError(): ClosedError {
  return new ClosedError('The cluster is closed; nothing was sent.');
}
