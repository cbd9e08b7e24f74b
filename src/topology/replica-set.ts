import { tcpEndpoint } from '../config/address.ts';
import type { Endpoint, ReplicaSource, ReplicaSpec, ResolvedConfig } from '../config/types.ts';
import { type ServerLife, sameLife } from '../consistency/floor.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { Connector } from '../pool/connector.ts';
import { type Identity, sameIdentity } from '../pool/identity.ts';
import { BreakerClock } from '../resilience/breaker.ts';
import type { Failure } from '../resilience/failures.ts';
import { Discovery, type Resolve } from './discovery.ts';
import { Heartbeat, type HeartbeatPrimary } from './heartbeat.ts';
import { lagByHeartbeat, lagByStatus } from './lag-source.ts';
import { Replica } from './replica.ts';
import type { ReplicaCollisions } from './replica-collisions.ts';
import type { ReplicaServer } from './replica-server.ts';
import type { ReplicaStatus } from './replica-status.ts';

export interface ReplicaSetOptions {
  readonly config: ResolvedConfig;
  readonly events: ClusterEmitter;
  readonly collisions: ReplicaCollisions;
  /** Where heartbeats are followed and written. */
  readonly primary: HeartbeatPrimary;
  readonly onHostBlocked: (endpoint: Endpoint) => void;
  /** Resolves the `dns` names; default `node:dns`. */
  readonly resolve?: Resolve;
}

/** A replica's silence is looked at this often, or more often where the time-out is short. */
const longestTickMs = 50;

/** Ticks within the quarter of the time-out after which reads are moved away. */
const ticksPerLook = 5;

/** All replicas, and which of them may be given reads now. */
export class ReplicaSet {
  readonly #options: ReplicaSetOptions;
  readonly #clock: BreakerClock;
  readonly #tickMs: number;
  readonly #replicas = new Set<Replica>();
  /** Removed, with reads under way. */
  readonly #leaving = new Set<Replica>();
  readonly #discoveries: readonly Discovery[];
  readonly #listeners = new Set<() => void>();
  readonly #heartbeat: Heartbeat | undefined;
  #watchesLag: boolean;
  #timer: NodeJS.Timeout | undefined;
  #primary: Identity | undefined;
  #candidates: readonly Replica[] | undefined;
  #closed = false;

  constructor(options: ReplicaSetOptions) {
    const { config } = options;
    this.#options = options;
    this.#heartbeat = this.#createHeartbeat();
    this.#watchesLag = config.lag.maxLagMs > 0 || this.#heartbeat !== undefined;
    this.#clock = new BreakerClock(config.breaker.windowMs);
    this.#tickMs = Math.min(longestTickMs, config.monitor.timeoutMs / 4 / ticksPerLook);
    this.#discoveries = config.replicas.flatMap((source) =>
      source.kind === 'dns' ? this.#discover(source) : [],
    );
  }

  /** Begins to connect, in the background. */
  start(): void {
    for (const source of this.#options.config.replicas) {
      if (source.kind === 'fixed') this.#add(source.endpoint, source, source.balanced);
    }
    for (const discovery of this.#discoveries) discovery.start();
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    this.#tick();
  }

  /**
   * The replicas that may be given reads: connected, breaker closed, not too old, not the primary, and of those that
   * are one server at several addresses the first. Another array after each change, the same one until then.
   */
  get candidates(): readonly Replica[] {
    this.#candidates ??= this.#findCandidates();
    return this.#candidates;
  }

  /** Some replica may still serve for the first time: it connects, tells its lag, or its name is being resolved. */
  get expecting(): boolean {
    return (
      this.#discoveries.some(({ pending }) => pending) ||
      [...this.#replicas].some(
        ({ connecting, serves, lag }) => connecting || (this.#watchesLag && serves && lag.expected),
      )
    );
  }

  /** From now on the lag of each replica is looked at. */
  watchLag(): void {
    this.#watchesLag = true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls `listener` after each change of {@link candidates} or {@link expecting}; the returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Another server is the primary now: at its own address it is no replica, and the old one may be. */
  primaryChanged(identity: Identity | undefined): void {
    this.#primary = identity;
    this.#changed();
  }

  /** The server in that life, while it can be reached at one of the addresses. */
  serverIn(life: ServerLife): ReplicaServer | undefined {
    for (const { server } of this.#replicas) {
      if (server?.identified === true && sameLife(server.life, life)) return server;
    }
    return undefined;
  }

  /** Why no replica serves, for people. */
  describe(): string {
    if (this.#replicas.size === 0) return 'no replica is configured or known';
    return [...this.#replicas].map((replica) => `${replica.name}: ${this.#whyNot(replica)}`).join('; ');
  }

  /** What is known of the lag of those that may serve, for people. */
  describeLag(): string {
    return this.candidates.map(({ name, lag }) => `${name}: ${lag.describe()}`).join('; ');
  }

  status(): readonly ReplicaStatus[] {
    return [...this.#replicas].map((replica) => replica.status());
  }

  /** Ends every connection, in use or not, and every timer. */
  close(failure: Failure): void {
    this.#closed = true;
    this.#candidates = [];
    clearInterval(this.#timer);
    this.#clock.stop();
    for (const discovery of this.#discoveries) discovery.stop();
    for (const replica of [...this.#replicas, ...this.#leaving]) replica.close(failure);
    this.#changed();
    this.#listeners.clear();
  }

  #tick(): void {
    this.#heartbeat?.tick(performance.now());
    for (const replica of this.#replicas) replica.tick(this.#watchesLag);
    for (const replica of this.#leaving) {
      if (replica.closed) this.#leaving.delete(replica);
      else replica.tick(false);
    }
  }

  #createHeartbeat(): Heartbeat | undefined {
    const { config, primary, events } = this.#options;
    const { heartbeatTable, intervalMs, writeHeartbeat } = config.lag;
    if (heartbeatTable === undefined) return undefined;
    return new Heartbeat({
      table: heartbeatTable,
      intervalMs,
      writes: writeHeartbeat,
      primary,
      events,
      onBeat: () => {
        for (const { lag } of this.#replicas) lag.look();
      },
    });
  }

  #discover(source: ReplicaSource & { readonly kind: 'dns' }): Discovery {
    const { events, resolve } = this.#options;
    const known = new Map<string, Replica>();
    return new Discovery({
      dns: source.dns,
      refreshMs: source.refreshMs,
      ...(resolve !== undefined && { resolve }),
      onAddresses: (addresses) => this.#follow(source, known, addresses),
      onFailed: (message) => {
        events.emit('discovery:failed', { dns: source.dns, message });
        this.#changed();
      },
    });
  }

  #follow(
    source: ReplicaSource & { readonly kind: 'dns' },
    known: Map<string, Replica>,
    addresses: ReadonlySet<string>,
  ): void {
    const { events, config } = this.#options;
    const isFirst = known.size === 0;
    for (const address of addresses) {
      if (known.has(address)) continue;
      const endpoint = { ...tcpEndpoint(address, source.port), tlsName: source.dns };
      const replica = this.#add(endpoint, source, false, !isFirst);
      known.set(address, replica);
      events.emit('replica:added', { replica: replica.name });
    }
    for (const [address, replica] of known) {
      if (addresses.has(address)) continue;
      known.delete(address);
      this.#replicas.delete(replica);
      this.#leaving.add(replica);
      replica.leave(config.timeoutMs);
      events.emit('replica:removed', { replica: replica.name });
    }
    this.#changed();
  }

  #add(endpoint: Endpoint, spec: ReplicaSpec, balanced: boolean, startsCold = false): Replica {
    const { config, events, collisions, onHostBlocked } = this.#options;
    const { session, tcpTimeoutMs, loginTimeoutMs, pool, breaker, lag, monitor } = config;
    const replica: Replica = new Replica({
      endpoint,
      spec,
      balanced,
      startsCold,
      connector: new Connector({
        endpoint,
        credentials: spec.credentials,
        session,
        role: 'replica',
        tcpTimeoutMs,
        loginTimeoutMs,
        onHostBlocked,
      }),
      settings: { pool: pool.replica, breaker, lag, monitor },
      clock: this.#clock,
      tickMs: this.#tickMs,
      lagSource: this.#heartbeat === undefined ? lagByStatus : lagByHeartbeat(this.#heartbeat),
      isPrimary: () => this.#isPrimary(replica),
      events,
      collisions,
      replaceable: () => this.candidates.some((other) => other !== replica),
      onChange: () => this.#changed(),
    });
    this.#replicas.add(replica);
    return replica;
  }

  #changed(): void {
    if (!this.#closed) this.#candidates = undefined;
    for (const listener of this.#listeners) listener();
  }

  #findCandidates(): readonly Replica[] {
    const found: Replica[] = [];
    for (const replica of this.#replicas) {
      if (!replica.serves || !replica.lag.admitted || this.#isPrimary(replica)) continue;
      if (!found.some((other) => this.#sameServer(other, replica))) found.push(replica);
    }
    return found;
  }

  #whyNot(replica: Replica): string {
    if (replica.serves && this.#isPrimary(replica)) return 'it is the primary';
    const { state, reason } = replica.status();
    return reason ?? state;
  }

  #isPrimary({ server }: Replica): boolean {
    if (server === undefined || !server.identified || this.#primary === undefined) return false;
    return sameIdentity(server.facts.identity, this.#primary);
  }

  #sameServer({ server: one }: Replica, { server: other }: Replica): boolean {
    if (one === undefined || other === undefined || !one.identified || !other.identified) return false;
    return (
      sameIdentity(one.facts.identity, other.facts.identity) && !this.#options.collisions.areApart(one, other)
    );
  }
}
