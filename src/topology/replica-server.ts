import type { ResolvedPool } from '../config/types.ts';
import type { ServerLife } from '../consistency/floor.ts';
import type { Connection, KillQuery } from '../pool/connection.ts';
import type { Connector } from '../pool/connector.ts';
import { describeIdentity, isRestart, lifeOf, type ServerFacts, sameIdentity } from '../pool/identity.ts';
import { Pool } from '../pool/pool.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { ControlConnection } from './control-connection.ts';
import type { Floors, KnownServer, ReplicaCollisions, Witness } from './replica-collisions.ts';
import { ServerPositions } from './server-positions.ts';

export interface ReplicaServerOptions {
  readonly name: string;
  /** The connection that found this server. */
  readonly witness: Connection;
  readonly connector: Connector;
  /** Many servers answer at this address: identity belongs to each connection, and nothing is killed over it. */
  readonly balanced: boolean;
  readonly pool: ResolvedPool;
  readonly collisions: ReplicaCollisions;
  readonly kill: KillQuery;
  /** Takes a connection that leads to another server, or to another life of this one. */
  readonly onStranger: (connection: Connection) => void;
  /** Somebody met trouble at this address. */
  readonly onTrouble: () => void;
}

/** One server in one life, with the connections that lead to it: they live and die with it. */
export class ReplicaServer implements KnownServer {
  readonly facts: ServerFacts;
  readonly life: ServerLife;
  readonly pool: Pool;
  /** What it has applied. Says nothing of use where it is not {@link identified}. */
  readonly positions: ServerPositions;
  /** To ask how old it is: while replication is being stopped, the answer may take long. */
  readonly lagControl = new ControlConnection((deadline) => this.#connect(deadline));
  readonly #control = new ControlConnection((deadline) => this.#connect(deadline));
  readonly #options: ReplicaServerOptions;
  #highestConnectionId: number;
  #retired = false;

  constructor(options: ReplicaServerOptions) {
    const { name, witness, balanced, pool, kill, collisions, onTrouble } = options;
    this.#options = options;
    this.facts = witness.facts;
    this.life = lifeOf(witness.facts);
    this.#highestConnectionId = witness.id;
    this.pool = new Pool({
      name: `the replica ${name}`,
      settings: pool,
      connect: (deadline) => this.#connect(deadline),
      kill: balanced ? undefined : kill,
      onConnectFailure: onTrouble,
      onConnectionLost: onTrouble,
    });
    const { vendor, version, identity } = witness.facts;
    this.positions = new ServerPositions({
      vendor,
      version,
      serverId: identity.serverId,
      ask: (text, limitMs) => this.#control.ask(text, limitMs),
      isPrimary: false,
    });
    if (!balanced) collisions.begin(this, name);
    this.pool.start();
  }

  /** Whether it is known which server this is: behind a balanced address it is not. */
  get identified(): boolean {
    return !this.#options.balanced;
  }

  /** The highest connection id so far. A login begun now gets a higher one, unless there was a restart. */
  get floorId(): number {
    return this.#highestConnectionId;
  }

  /** Its connections have ended: what it did not answer says nothing. */
  get retired(): boolean {
    return this.#retired;
  }

  describe(): string {
    return describeIdentity(this.facts.identity);
  }

  /** Says whether a connection, dialled when the highest id was `floorId`, leads to this server in this life. */
  includes(witness: Witness, floorId: number): boolean {
    if (this.#options.balanced) return true;
    const { identity, startedAtMs } = this.facts;
    return sameIdentity(identity, witness.facts.identity) && !isRestart(startedAtMs, witness, floorId);
  }

  /**
   * Takes note of a new connection if it leads to this server in this life; `floors` was taken before the dial.
   * Returns whether it does.
   */
  welcome(connection: Connection, floors: Floors): boolean {
    if (!this.includes(connection, floors.get(this) ?? 0)) return false;
    this.#highestConnectionId = Math.max(this.#highestConnectionId, connection.id);
    this.#options.collisions.opened(this, connection, floors);
    return true;
  }

  /** Destroys every connection, in use or not. */
  retire(failure: Failure): void {
    this.#retired = true;
    this.#options.collisions.end(this);
    this.positions.close();
    this.#control.close();
    this.lagControl.close();
    this.pool.discard(failure);
  }

  async #connect(deadline: Deadline): Promise<Connection> {
    const { connector, collisions, onStranger, name } = this.#options;
    const floors = collisions.floors();
    const connection = await connector.connect({ readOnly: true, deadline });
    if (!this.#retired && this.welcome(connection, floors)) return connection;
    if (this.#retired) connection.quit();
    else onStranger(connection);
    throw new Failed(gone(`replica ${name}: another server answers now`));
  }
}

function gone(message: string): Failure {
  return { kind: 'connect', outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}
