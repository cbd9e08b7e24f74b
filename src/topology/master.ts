import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Connection } from '../pool/connection.ts';
import type { Connector } from '../pool/connector.ts';
import {
  describeIdentity,
  type Identity,
  isRestart,
  type ServerFacts,
  sameIdentity,
} from '../pool/identity.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { Complaints } from './complaints.ts';
import {
  askMaster,
  askReceived,
  begunBy,
  type MasterLook,
  type Received,
  receivedGrants,
} from './master-look.ts';
import type { MasterStatus } from './master-status.ts';
import type { KnownServer, ReplicaCollisions, Witness } from './replica-collisions.ts';
import { type MonitorSettings, ReplicaMonitor } from './replica-monitor.ts';
import type { WatchedServer, Writers } from './writers.ts';

export interface MasterOptions {
  readonly connector: Connector;
  readonly settings: MonitorSettings;
  /** How often {@link Master.tick} is called. */
  readonly tickMs: number;
  readonly events: ClusterEmitter;
  readonly collisions: ReplicaCollisions;
  readonly writers: Writers;
}

/** One server in one life, at a master's own address. */
class MasterServer implements KnownServer, WatchedServer {
  readonly facts: ServerFacts;
  floorId: number;

  constructor({ facts, id }: Connection) {
    this.facts = facts;
    this.floorId = id;
  }

  get identity(): Identity {
    return this.facts.identity;
  }

  includes(witness: Witness, floorId: number): boolean {
    return (
      sameIdentity(this.identity, witness.facts.identity) &&
      !isRestart(this.facts.startedAtMs, witness, floorId)
    );
  }
}

/** One master by its own address: one READ ONLY session, asked again and again. Nothing is ever written there. */
export class Master {
  readonly name: string;
  readonly #options: MasterOptions;
  readonly #monitor: ReplicaMonitor;
  readonly #complaints: Complaints;
  #server: MasterServer | undefined;
  #state: MasterStatus['state'] = 'connecting';
  #reason: string | undefined;
  #look: MasterLook | undefined;
  /** On a connection of which nothing was asked yet. */
  #isFirst = false;
  /** Another look is wanted as soon as the present one has ended. */
  #isWanted = false;
  #closed = false;

  constructor(options: MasterOptions) {
    const { connector, settings, tickMs, events } = options;
    this.#options = options;
    this.name = connector.endpoint.name;
    this.#complaints = new Complaints(this.name, events);
    this.#monitor = new ReplicaMonitor(
      {
        name: this.name,
        open: (deadline) => this.#open(deadline),
        activity: () => ({ inFlight: 0, answers: 0 }),
        replaceable: () => false,
        answered: () => this.#answered(),
        unreachable: (failure) => this.#silent(failure),
        turnedAway: (failure) => this.#silent(failure),
        probe: (connection, limit) => this.#ask(connection, limit),
      },
      settings,
      tickMs,
    );
  }

  /** Moves its monitor on; to be called every `tickMs`. */
  tick(): void {
    this.#monitor.tick();
  }

  /** Looks at once, or again as soon as the look under way has ended. */
  look(): void {
    this.#isWanted = true;
    this.#monitor.look();
  }

  status(): MasterStatus {
    const [server, look] = [this.#server, this.#look];
    const position = look?.position;
    return {
      name: this.name,
      state: this.#state,
      reason: this.#reason,
      server: server === undefined ? undefined : describeIdentity(server.identity),
      primary: server !== undefined && this.#options.writers.isPrimary(server),
      writable: look?.writable,
      position: server && position && begunBy(server.identity, position).toString(),
      lookedAtMsAgo: look && Math.round(performance.now() - look.askedAt),
    };
  }

  close(): void {
    this.#closed = true;
    if (this.#server !== undefined) this.#options.collisions.end(this.#server);
    this.#monitor.stop();
    this.#options.connector.close();
  }

  async #open(deadline: Deadline): Promise<Connection> {
    const { connector, collisions } = this.#options;
    const floors = collisions.floors();
    const connection = await connector.connect({ readOnly: true, deadline });
    if (this.#closed) {
      connection.quit();
      throw new Failed(closedFailure(this.name));
    }
    const known = this.#server;
    const server = known?.includes(connection, floors.get(known) ?? 0) ? known : this.#replace(connection);
    server.floorId = Math.max(server.floorId, connection.id);
    collisions.opened(server, connection, floors);
    this.#isFirst = true;
    this.#isWanted = true;
    return connection;
  }

  #replace(connection: Connection): MasterServer {
    const { collisions } = this.#options;
    if (this.#server !== undefined) collisions.end(this.#server);
    const server = new MasterServer(connection);
    this.#server = server;
    this.#look = undefined;
    collisions.begin(server, this.name);
    return server;
  }

  async #ask(connection: Connection, limit: Deadline): Promise<void> {
    const server = this.#server;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    this.#isWanted = false;
    try {
      const look = await askMaster(connection, limit);
      const isWanted = isFirst || (server !== undefined && this.#options.writers.wantsReceived(server));
      const received = isWanted ? await this.#askReceived(connection, limit) : undefined;
      if (this.#closed || server === undefined || server !== this.#server) return;
      this.#look = look;
      if (look.position === undefined) this.#complaints.make('positions', withoutGtids);
      else this.#complaints.settle('positions');
      this.#options.writers.looked(this.name, server, look, received);
    } catch (error) {
      // A connection that is lost is told by the monitor.
      if (!connection.usable || !(error instanceof Error)) throw error;
      this.#complaints.make('positions', `It cannot be asked what it has: ${error.message}`);
    }
  }

  /** Asked at first too, so that a missing grant is told before it is missed. */
  async #askReceived(connection: Connection, limit: Deadline): Promise<Received | undefined> {
    const { vendor } = connection.facts;
    try {
      const received = await askReceived(connection, limit);
      this.#complaints.settle('received');
      return received;
    } catch (error) {
      if (!connection.usable || !(error instanceof Failed)) throw error;
      const reason = `It cannot be asked what it has received, so that stale-primary:wrote will not be told: ${error.failure.message}. Run ${receivedGrants[vendor]} for this account.`;
      this.#complaints.make('received', reason);
      return undefined;
    }
  }

  #answered(): void {
    this.#state = 'answers';
    this.#reason = undefined;
    this.#complaints.settle('login');
    if (this.#server !== undefined) this.#options.collisions.answered(this.#server);
    if (this.#isWanted) this.#monitor.look();
  }

  /** Down, frozen or full is what masters are now and then; a wrong login or address is a mistake. */
  #silent({ kind, reason, message }: Failure): void {
    this.#state = 'silent';
    this.#reason = message;
    if (kind === 'access' || kind === 'tls' || reason === 'ENOTFOUND') {
      this.#complaints.make('login', `${message}. Correct \`masters\`, or the login, for this address.`);
    }
  }
}

const withoutGtids =
  'It keeps no GTIDs (MySQL: gtid_mode; MariaDB: log_bin), so that what it writes does not show.';

function closedFailure(name: string): Failure {
  const message = `master ${name}: the cluster is closed`;
  return { kind: 'lost', outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}
