import type { ResolvedPool } from '../config/types.ts';
import type { ServerLife } from '../consistency/floor.ts';
import type { Connection, KillQuery } from '../pool/connection.ts';
import type { Connector } from '../pool/connector.ts';
import { describeIdentity, isRestart, lifeOf, type ServerFacts, sameIdentity } from '../pool/identity.ts';
import { Pool } from '../pool/pool.ts';
import type { PositionListener } from '../pool/session-status.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { ControlConnection } from './control-connection.ts';
import { ServerPositions } from './server-positions.ts';

/** The highest connection id known of an epoch's server when a login began: a lower one at its end shows a restart. */
export interface Floor {
  readonly epoch: number;
  readonly id: number;
}

export interface EpochOptions {
  readonly number: number;
  /** The connection that found this primary. */
  readonly witness: Connection;
  readonly connector: Connector;
  readonly proxied: boolean;
  readonly pool: ResolvedPool;
  /** Most replica reads that run on the primary at once. */
  readonly fallbackMax: number;
  readonly kill: KillQuery | undefined;
  /** Told of what is committed on the connections of this epoch. */
  readonly positions: (epoch: Epoch) => PositionListener;
  /** Runs a statement of vipsql's own on the server that answers at the VIP; gives the first row. */
  readonly ask: (text: string) => Promise<Record<string, unknown> | undefined>;
  /** Why this epoch may be over: the watch alone dials then, since many clients dial at once after a move. */
  readonly interruption: () => Failure | undefined;
  readonly nextOrder: () => number;
  /** Takes a connection that leads to another server than this epoch's. */
  readonly onStranger: (connection: Connection, order: number, floor: Floor) => void;
  /** Somebody met trouble at the VIP. */
  readonly onTrouble: (failure: Failure | undefined) => void;
}

/** How many connections guests hold is bounded by the pools that hold them. */
const mostGuests = 10_000;

/** Whether an UPDATE on a guest's connection counts the rows that it found, as everywhere else, or those that it changed. */
export type GuestKind = 'counts-found' | 'counts-changed';

/** How a connection is opened. */
interface Manner {
  readonly readOnly?: boolean;
  readonly countsChanged?: boolean;
}

/** One primary in one life, with the connections that lead to it: they live and die with it. */
export class Epoch {
  readonly number: number;
  readonly facts: ServerFacts;
  readonly server: string;
  readonly life: ServerLife;
  readonly pool: Pool;
  /** What it holds; nothing is known where its writes have no positions. */
  readonly positions: ServerPositions;
  /** For what vipsql itself reads and writes there: opened when first needed, and no user's position. */
  readonly control = new ControlConnection((deadline) => this.#connect(deadline));
  readonly #options: EpochOptions;
  readonly #positions: PositionListener;
  #readers: Pool | undefined;
  readonly #guests = new Map<GuestKind, Pool>();
  #highestConnectionId: number;
  #retired: Failure | undefined;

  constructor(options: EpochOptions) {
    const { witness, number, connector } = options;
    this.#options = options;
    this.number = number;
    this.facts = witness.facts;
    this.life = lifeOf(witness.facts);
    const { vendor, version, identity, withoutPositions } = witness.facts;
    this.positions = new ServerPositions({
      vendor,
      version,
      serverId: identity.serverId,
      ask: options.ask,
      isPrimary: true,
    });
    if (withoutPositions !== undefined) this.positions.close();
    this.server = `${connector.endpoint.name} = ${describeIdentity(witness.facts.identity)}`;
    this.#highestConnectionId = witness.id;
    this.#positions = options.positions(this);
    this.pool = this.#createPool('writers', options.pool);
    this.pool.start();
  }

  /** READ ONLY sessions on the primary, for replica reads that find no replica. */
  get readers(): Pool {
    const { pool, fallbackMax } = this.#options;
    this.#readers ??= this.#createPool('readers', { ...pool, min: 0, max: fallbackMax }, { readOnly: true });
    if (this.#retired !== undefined) this.#readers.discard(this.#retired);
    return this.#readers;
  }

  /** For connections that a pool of another library's holds: none is kept here once it has come back. */
  guests(kind: GuestKind): Pool {
    let guests = this.#guests.get(kind);
    if (guests === undefined) {
      const settings = { ...this.#options.pool, min: 0, max: mostGuests };
      guests = this.#createPool('guests', settings, { countsChanged: kind === 'counts-changed' });
      this.#guests.set(kind, guests);
    }
    if (this.#retired !== undefined) guests.discard(this.#retired);
    return guests;
  }

  get readersInUse(): number {
    return this.#readers?.inUse ?? 0;
  }

  get inUse(): number {
    return this.pool.inUse + this.readersInUse;
  }

  get answers(): number {
    const pools = [this.pool, this.#readers, ...this.#guests.values()];
    return pools.reduce((answers, pool) => answers + (pool?.pulse.answers ?? 0), 0);
  }

  /** Says whether a connection leads to this primary in this life. Behind a proxy any connection does. */
  includes(connection: Connection, floor?: Floor): boolean {
    if (this.#options.proxied) return true;
    const { facts } = this;
    if (!sameIdentity(facts.identity, connection.facts.identity)) return false;
    return !isRestart(facts.startedAtMs, connection, floor?.epoch === this.number ? floor.id : 0);
  }

  /** What a login that begins now may be compared with. */
  get floor(): Floor {
    return { epoch: this.number, id: this.#highestConnectionId };
  }

  saw(connection: Connection): void {
    this.#highestConnectionId = Math.max(this.#highestConnectionId, connection.id);
  }

  /** Turns away those who wait for a connection; those who have one go on. */
  refuseWaiting(failure: Failure): void {
    this.pool.refuseWaiting(failure);
    this.#readers?.refuseWaiting(failure);
    for (const guests of this.#guests.values()) guests.refuseWaiting(failure);
  }

  /** Destroys every connection of this epoch, in use or not. */
  retire(failure: Failure): void {
    this.#retired = failure;
    this.positions.close();
    this.control.close();
    this.pool.discard(failure);
    this.#readers?.discard(failure);
    for (const guests of this.#guests.values()) guests.discard(failure);
  }

  #createPool(kind: string, settings: ResolvedPool, manner: Manner = {}): Pool {
    const { connector, kill, onTrouble, proxied } = this.#options;
    return new Pool({
      name: `the primary ${connector.endpoint.name} (${kind}, epoch ${this.number})`,
      settings,
      connect: (deadline) =>
        manner.readOnly === true ? this.#connect(deadline, manner) : this.#connectWriter(deadline, manner),
      kill: proxied ? undefined : kill,
      epoch: this.number,
      onConnectFailure: onTrouble,
      onConnectionLost: () => onTrouble(undefined),
    });
  }

  async #connectWriter(deadline: Deadline, manner: Manner): Promise<Connection> {
    const connection = await this.#connect(deadline, manner);
    connection.positions = this.#positions;
    return connection;
  }

  async #connect(deadline: Deadline, { readOnly = false, countsChanged }: Manner = {}): Promise<Connection> {
    const { connector, interruption, nextOrder, onStranger } = this.#options;
    const failure = interruption();
    if (failure !== undefined) throw new Failed(refused('connect', failure.message));
    const { floor } = this;
    const order = nextOrder();
    const connection = await connector.connect({ readOnly, countsChanged, deadline });
    if (!this.includes(connection, floor)) {
      const failure = refused('connect', `another server than that of epoch ${this.number} answered`);
      if (readOnly || countsChanged === true) connection.quit();
      else onStranger(connection, order, floor);
      throw new Failed(failure);
    }
    this.saw(connection);
    if (!readOnly && !connection.facts.writable) {
      connection.quit();
      throw new Failed(refused('read-only', 'the server at the VIP is read-only'));
    }
    return connection;
  }
}

function refused(kind: 'connect' | 'read-only', message: string): Failure {
  return { kind, outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}
