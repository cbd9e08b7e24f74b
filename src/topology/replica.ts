import type { Endpoint, ReplicaSpec, ResolvedConfig } from '../config/types.ts';
import { positionStatement } from '../consistency/server-position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { firstRow, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import type { Connector } from '../pool/connector.ts';
import { describeIdentity } from '../pool/identity.ts';
import { Breaker, type BreakerClock } from '../resilience/breaker.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import type { LagSource } from './lag-source.ts';
import type { ReadTerms } from './read-terms.ts';
import type { ReplicaCollisions } from './replica-collisions.ts';
import { ReplicaLag } from './replica-lag.ts';
import { LatencyAverage } from './replica-latency.ts';
import { lost, ReplicaLifecycle } from './replica-lifecycle.ts';
import { ReplicaMonitor } from './replica-monitor.ts';
import { ReplicaServer } from './replica-server.ts';
import type { ReplicaStatus } from './replica-status.ts';
import { verdictOn } from './replica-verdict.ts';

/** Asked where the answer would be another server's each time. */
const ping = ownCommand('DO 1');

export interface ReplicaOptions {
  readonly endpoint: Endpoint;
  readonly spec: ReplicaSpec;
  /** Many servers answer at this address. */
  readonly balanced: boolean;
  /** It ramps up the first time too. */
  readonly startsCold: boolean;
  readonly connector: Connector;
  readonly settings: Pick<ResolvedConfig, 'breaker' | 'lag' | 'monitor'> & {
    readonly pool: ResolvedConfig['pool']['replica'];
  };
  readonly clock: BreakerClock;
  readonly lagSource: LagSource;
  /** How often {@link Replica.tick} is called. */
  readonly tickMs: number;
  readonly events: ClusterEmitter;
  readonly collisions: ReplicaCollisions;
  /** Whether another server could take over this one's reads. */
  readonly replaceable: () => boolean;
  /** Whether the server that answers there is the primary. */
  readonly isPrimary: () => boolean;
  /** It takes reads now, or does not any more, or turned out to be another server. */
  readonly onChange: () => void;
}

/** One address that serves reads: the server that answers there now, its monitor, and its breaker. */
export class Replica {
  readonly name: string;
  readonly weight: number;
  readonly zone: string | undefined;
  /** How old it may be. */
  readonly lag: ReplicaLag;
  readonly #options: ReplicaOptions;
  readonly #lifecycle: ReplicaLifecycle;
  readonly #monitor: ReplicaMonitor;
  readonly #breaker: Breaker;
  readonly #latency = new LatencyAverage();
  #inFlight = 0;

  constructor(options: ReplicaOptions) {
    const { endpoint, spec, settings, clock, tickMs, replaceable, startsCold, events, onChange } = options;
    const { name } = endpoint;
    this.#options = options;
    this.name = name;
    this.weight = spec.weight;
    this.zone = spec.zone;
    this.#lifecycle = new ReplicaLifecycle({ name, startsCold, events, onChange });
    this.lag = new ReplicaLag({
      name,
      settings: settings.lag,
      patienceMs: settings.monitor.timeoutMs + 2 * settings.lag.intervalMs,
      source: options.lagSource,
      isPrimary: options.isPrimary,
      events,
      onChange,
    });
    this.#breaker = new Breaker({
      name,
      settings: settings.breaker,
      clock,
      onOpen: () => this.#lifecycle.trip('too many of its reads failed'),
      onClose: () => this.#lifecycle.resume(),
    });
    this.#monitor = new ReplicaMonitor(
      {
        name,
        open: (deadline) => this.#openForMonitor(deadline),
        activity: () => ({ inFlight: this.#inFlight, answers: this.server?.pool.pulse.answers ?? 0 }),
        replaceable,
        probe: (connection, limit) => this.#probe(connection, limit),
        answered: () => this.#answered(),
        unreachable: (failure) => this.#lifecycle.goDown(failure.message),
        turnedAway: (failure) => this.#turnedAway(failure),
      },
      settings.monitor,
      tickMs,
    );
  }

  /** It may be given reads. */
  get serves(): boolean {
    return this.#lifecycle.state.kind === 'serving';
  }

  /** Its first connection neither stands nor has failed. */
  get connecting(): boolean {
    return this.#lifecycle.state.kind === 'connecting';
  }

  get closed(): boolean {
    return this.#lifecycle.state.kind === 'closed';
  }

  /** The server that answers there; `undefined` while none does. */
  get server(): ReplicaServer | undefined {
    return this.#lifecycle.server;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get upSince(): number {
    return this.#lifecycle.upSince;
  }

  latencyMs(now: number): number {
    return this.#latency.valueMs(now);
  }

  /** Moves its monitor on, and looks at its lag where that matters; to be called every `tickMs`. */
  tick(watchesLag: boolean): void {
    this.#monitor.tick();
    if (watchesLag) this.lag.tick(performance.now());
  }

  /**
   * Lends a READ ONLY session to `run` and takes it back when that settles. Rejects with {@link Failed} when there is
   * none to be had in time or the replica goes down, with `QueueFullError`, or with what `run` rejects with.
   */
  async read<T>(
    deadline: Deadline,
    run: (connection: Connection) => Promise<T>,
    { timed = true, server }: ReadTerms = {},
  ): Promise<T> {
    const { state } = this.#lifecycle;
    if (state.kind !== 'serving') throw new Failed({ ...this.#lost(state.kind), outcome: 'not-executed' });
    if (server !== undefined && server !== state.server) {
      throw new Failed({ ...this.#lost('another server answers now'), outcome: 'not-executed' });
    }
    const { pool } = state.server;
    const { period } = this.#breaker;
    let connection: Connection | undefined;
    this.#inFlight += 1;
    try {
      connection = await pool.acquire(deadline);
      const startedAt = performance.now();
      const result = await run(connection);
      if (timed) this.#noteLatency(startedAt);
      this.#breaker.succeeded(period);
      return result;
    } catch (error) {
      if (error instanceof Failed) this.#noteFailure(error.failure, period);
      throw error;
    } finally {
      if (connection !== undefined) pool.release(connection);
      this.#inFlight -= 1;
      if (this.#inFlight === 0 && this.#lifecycle.state.kind === 'leaving') this.#end();
    }
  }

  /** Takes no new reads; those under way may end, for at most `graceMs`. */
  leave(graceMs: number): void {
    if (this.#inFlight === 0) this.#end();
    else this.#lifecycle.leave(graceMs, () => this.#end());
  }

  /** Ends every connection to it, in use or not. */
  close(failure: Failure): void {
    this.#lifecycle.close(failure);
    this.#monitor.stop();
    this.#breaker.stop();
    this.#options.connector.close();
  }

  status(): ReplicaStatus {
    const { state, server } = this.#lifecycle;
    const isLagging = this.serves && !this.lag.admitted;
    return {
      name: this.name,
      state: isLagging ? 'lagging' : state.kind,
      reason: isLagging ? this.lag.describe() : 'reason' in state ? state.reason : undefined,
      server: server?.describe(),
      lagMs: server && this.lag.lagMs,
      inFlight: this.#inFlight,
      latencyMs: this.#latency.valueMs(performance.now()),
      open: server?.pool.open ?? 0,
      inUse: server?.pool.inUse ?? 0,
      waiting: server?.pool.waiting ?? 0,
    };
  }

  #noteLatency(startedAt: number): void {
    const now = performance.now();
    this.#latency.record(now - startedAt, now);
  }

  #noteFailure(failure: Failure, period: number): void {
    const verdict = verdictOn(failure);
    if (verdict === 'answered') this.#breaker.succeeded(period);
    if (verdict === 'trouble' || verdict === 'late') this.#breaker.failed(period);
    if (verdict === 'trouble') this.#monitor.look();
  }

  async #openForMonitor(deadline: Deadline): Promise<Connection> {
    const { connector, collisions } = this.#options;
    const expected = this.server;
    const floors = collisions.floors();
    const connection = await connector.connect({ readOnly: true, deadline });
    const { server } = this;
    if (this.closed || (server !== undefined && server !== expected)) {
      connection.quit();
      throw new Failed(this.#lost('another connection has told who answers'));
    }
    if (server === undefined) this.#serve(connection);
    else if (!server.welcome(connection, floors)) this.#replace(server, connection);
    return connection;
  }

  /** A connection of the pool has found that another server answers now. */
  #meetStranger(server: ReplicaServer, connection: Connection): void {
    this.#replace(server, connection);
    this.#monitor.adopt(connection);
  }

  #replace(server: ReplicaServer, connection: Connection): void {
    const [known, found] = [server.describe(), describeIdentity(connection.facts.identity)];
    const reason = found === known ? `${found} has restarted` : `${found} answers instead of ${known}`;
    this.#lifecycle.goDown(reason);
    this.#serve(connection);
  }

  #serve(witness: Connection): void {
    if (this.closed) return;
    const { settings, balanced, connector, collisions, events } = this.#options;
    const server: ReplicaServer = new ReplicaServer({
      name: this.name,
      witness,
      connector,
      balanced,
      pool: settings.pool,
      collisions,
      kill: (victim) => this.#monitor.kill(victim),
      onStranger: (connection) => this.#meetStranger(server, connection),
      onTrouble: () => this.#monitor.look(),
    });
    this.#breaker.reset();
    this.lag.meet(server);
    this.#lifecycle.serve(server);
    const { maxConnections } = witness.facts;
    if (settings.pool.max <= maxConnections) return;
    events.emit('pool:too-large', { server: this.name, poolMax: settings.pool.max, maxConnections });
  }

  /** Any answer shows that the server lives; this one tells besides what it has applied. */
  async #probe(connection: Connection, limit: Deadline): Promise<void> {
    const { server } = this;
    if (server?.identified === true) await this.#askPosition(server, connection, limit);
    else await connection.run(ping, limit);
  }

  async #askPosition(server: ReplicaServer, connection: Connection, limit: Deadline): Promise<void> {
    const askedAt = performance.now();
    const answer = firstRow(await connection.run(ownCommand(positionStatement(server.facts.vendor)), limit));
    if (answer !== undefined) server.positions.learn(answer, askedAt);
  }

  /** The monitor's connection was answered, which leads to the server known here. */
  #answered(): void {
    const { server } = this;
    if (server !== undefined && this.#options.collisions.answered(server)) this.#options.onChange();
    this.#breaker.probeSucceeded();
  }

  #turnedAway(failure: Failure): void {
    if (this.server === undefined) this.#lifecycle.goDown(failure.message);
  }

  #end(): void {
    this.close(this.#lost('no longer wanted'));
  }

  #lost(reason: string): Failure {
    return lost(this.name, reason);
  }
}
