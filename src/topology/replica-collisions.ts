import type { ClusterEmitter } from '../observe/emitter.ts';
import { describeIdentity, type ServerFacts, sameIdentity } from '../pool/identity.ts';

/** What a new connection tells of its server. */
export interface Witness {
  readonly facts: ServerFacts;
  readonly id: number;
}

/** A server that is connected to now, in one life. */
export interface KnownServer {
  readonly facts: ServerFacts;
  /** The highest connection id so far. */
  readonly floorId: number;
  /** Says whether a connection, dialled when the highest id was `floorId`, leads to this server in this life. */
  includes(witness: Witness, floorId: number): boolean;
}

/** The highest connection id of every known server at one moment. */
export type Floors = ReadonlyMap<KnownServer, number>;

/**
 * Tells two servers with one identity (cloned data folders share `@@server_uuid`) from one server at two addresses.
 *
 * A new connection at one address is held against the server known at another one: with another start time, or an id
 * that the other had passed before the dial, it cannot lead there – unless that server has restarted meanwhile. So it
 * is proof only once the other has answered on a connection from before. Two servers proven apart are both used, and
 * told of; without proof they are taken for one.
 */
export class ReplicaCollisions {
  readonly #events: ClusterEmitter;
  readonly #names = new Map<KnownServer, string>();
  readonly #suspects = new Map<KnownServer, Set<KnownServer>>();
  readonly #apart = new WeakMap<KnownServer, WeakSet<KnownServer>>();

  constructor(events: ClusterEmitter) {
    this.#events = events;
  }

  begin(server: KnownServer, replica: string): void {
    this.#names.set(server, replica);
  }

  end(server: KnownServer): void {
    this.#names.delete(server);
    this.#suspects.delete(server);
    for (const others of this.#suspects.values()) others.delete(server);
  }

  /** To be taken before a dial. */
  floors(): Floors {
    return new Map([...this.#names.keys()].map((server) => [server, server.floorId]));
  }

  /** A connection of `server` was opened, dialled when the others stood at `floors`. */
  opened(server: KnownServer, witness: Witness, floors: Floors): void {
    for (const [other, floorId] of floors) {
      if (other === server || !this.#names.has(other) || this.areApart(server, other)) continue;
      if (!sameIdentity(other.facts.identity, server.facts.identity) || other.includes(witness, floorId + 1))
        continue;
      const suspects = this.#suspects.get(other) ?? new Set();
      this.#suspects.set(other, suspects.add(server));
    }
  }

  /** A connection that `server` had already was answered: it has not restarted. Returns whether this proved anything. */
  answered(server: KnownServer): boolean {
    const suspects = this.#suspects.get(server);
    if (suspects === undefined) return false;
    this.#suspects.delete(server);
    // Each may be suspected on account of the other.
    const proven = [...suspects].filter((other) => !this.areApart(server, other));
    for (const other of proven) this.#separate(server, other);
    return proven.length > 0;
  }

  areApart(a: KnownServer, b: KnownServer): boolean {
    return this.#apart.get(a)?.has(b) === true;
  }

  #separate(a: KnownServer, b: KnownServer): void {
    this.#note(a, b);
    this.#note(b, a);
    const servers = [a, b].flatMap((server) => this.#names.get(server) ?? []);
    this.#events.emit('identity:collision', { identity: describeIdentity(a.facts.identity), servers });
  }

  #note(a: KnownServer, b: KnownServer): void {
    const others = this.#apart.get(a) ?? new WeakSet();
    this.#apart.set(a, others.add(b));
  }
}
