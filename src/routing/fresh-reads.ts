import { type Floor, type ServerLife, sameLife } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import { nobody, type Required, requiredPosition, type Witnesses } from '../consistency/required-position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline } from '../resilience/deadline.ts';
import type { PrimaryReader } from '../topology/primary-reader.ts';
import type { Replica } from '../topology/replica.ts';
import type { ReplicaServer } from '../topology/replica-server.ts';
import type { ReplicaSet } from '../topology/replica-set.ts';
import type { ServerPositions } from '../topology/server-positions.ts';
import { CheckedReads, notThere } from './checked-reads.ts';
import { type Fitness, fitnessOf } from './fresh-choice.ts';
import { Laggards } from './laggards.ts';
import { LostPositions } from './lost-positions.ts';
import type { Place } from './place.ts';
import type { ReadChoice } from './read-choice.ts';
import type { ReadNeed } from './read-need.ts';
import type { ReadTarget } from './read-target.ts';

export interface FreshReadsOptions {
  readonly replicas: ReplicaSet;
  readonly primary: PrimaryReader;
  readonly choice: ReadChoice;
  readonly events: ClusterEmitter;
  /** Longest wait for a replica to get to a position. */
  readonly waitMs: number;
  /** Most connections to a balanced address. */
  readonly poolMax: number;
}

/** How reads that must see something have found their server so far. */
export interface ConsistencyStatus {
  /** On a replica that was known to be there. */
  readonly known: number;
  /** On a replica that was asked, or waited for. */
  readonly waited: number;
  /** On the primary, because no replica got there in time. */
  readonly fellBack: number;
  /** On the primary, because every replica may have been older than `maxLagMs` of the call. */
  readonly tooOld: number;
}

/** A wait takes at most this share of the time that is left, so that the primary can still be asked. */
const shareOfWait = 0.5;

interface Rated {
  readonly replica: Replica;
  readonly server: ReplicaServer;
  readonly fitness: Fitness;
}

/** A replica that may have what is missing, or get to it. */
interface Hopeful {
  readonly replica: Replica;
  readonly server: ReplicaServer;
  readonly missing: Position;
}

/** A read and its terms. */
export interface FreshRead<T> {
  readonly deadline: Deadline;
  readonly run: (connection: Connection) => Promise<T>;
  readonly timed: boolean;
}

/** Finds the server for a read that must see something, and runs it there. */
export class FreshReads {
  readonly #options: FreshReadsOptions;
  readonly #checked: CheckedReads;
  readonly #laggards = new Laggards();
  readonly #lost: LostPositions;
  readonly #witnesses: Witnesses;
  readonly #counts = { known: 0, waited: 0, fellBack: 0 };

  constructor(options: FreshReadsOptions) {
    const { primary, events, poolMax } = options;
    this.#options = options;
    this.#checked = new CheckedReads(primary, poolMax);
    this.#lost = new LostPositions(events);
    this.#witnesses = {
      server: (seen) => this.#positionsIn(seen)?.atMostSince(seen.at),
      primary: (at) => primary.openEpoch?.positions.atMostSince(at),
    };
  }

  get status(): Omit<ConsistencyStatus, 'tooOld'> {
    return { ...this.#counts };
  }

  /**
   * A server that has what the read must see: one that is known to, else one that proves to after it was asked or
   * waited for; `undefined` when only the primary is left. While that is away there is no hurry to go there.
   */
  async find(need: ReadNeed, tried: readonly ReadTarget[], deadline: Deadline): Promise<Place | undefined> {
    const known = this.#knownToDo(need, tried);
    if (known !== undefined) {
      this.#counts.known += 1;
      return known;
    }
    for (;;) {
      const limit = this.#limit(deadline);
      await this.#hear(need.floor, limit);
      const place =
        this.#knownToDo(need, tried) ??
        this.#checkable(need, tried) ??
        (await this.#first(need, tried, limit));
      if (place !== undefined) {
        this.#counts.waited += 1;
        return place;
      }
      const isOver = this.#options.primary.available || deadline.interruption() !== undefined;
      if (isOver || this.#hopeful(need, tried).length === 0) return undefined;
    }
  }

  /** The position that whatever satisfies `floor` has, asked for where it is not known; for answers of no server. */
  async required(floor: Floor, deadline: Deadline): Promise<Required> {
    const known = requiredPosition(floor, nobody, this.#witnesses);
    if (known !== 'unknown' || floor.isUnknown) return known;
    await this.#hear(floor, this.#limit(deadline));
    return requiredPosition(floor, nobody, this.#witnesses);
  }

  /** Runs a read at a place that {@link find} has found, and tells `need` what it saw. */
  async read<T>(
    { target, server, required }: Place,
    need: ReadNeed,
    { deadline, run, timed }: FreshRead<T>,
  ): Promise<T> {
    if (server !== undefined) {
      const result = await target.read(deadline, run, { timed, server });
      need.sawReplica({ ...server.life, at: performance.now() });
      return result;
    }
    if (target === this.#options.choice.primary) {
      const result = await target.read(deadline, run, { timed });
      need.sawPrimary(performance.now());
      return result;
    }
    const checked = async (connection: Connection): Promise<T> => {
      if (required !== undefined) await this.#checked.check(connection, required, this.#limit(deadline));
      const result = await run(connection);
      await this.#checked.report(connection, need);
      return result;
    };
    return await target.read(deadline, checked, { timed });
  }

  /** Nobody but the primary is left: what it has not got either, after a wait, is lost. */
  async fallBack(need: ReadNeed, tried: readonly ReadTarget[], deadline: Deadline): Promise<void> {
    this.#counts.fellBack += 1;
    const { primary } = this.#options;
    const epoch = primary.openEpoch;
    if (epoch === undefined) return;
    const { positions } = epoch;
    const { isUnknown, primaryAt } = need.floor;
    if (isUnknown || (primaryAt !== undefined && positions.known === undefined)) primary.missPosition();
    const required = requiredPosition(need.floor, 'primary', this.#witnesses);
    const wanted = typeof required === 'string' ? need.floor.position : required;
    if (wanted === undefined || wanted.isEmpty) return;
    if (await positions.reach(wanted, this.#limit(deadline))) {
      for (const { server, missing } of this.#hopeful(need, tried)) {
        this.#laggards.add(server.positions, missing, positions);
      }
      return;
    }
    const lost = this.#lost.recognise(need.floor.position, epoch);
    if (lost !== undefined) need.lost(lost);
  }

  #limit(deadline: Deadline): Deadline {
    const waitMs = Math.min(this.#options.waitMs, deadline.remainingMs() * shareOfWait);
    return new Deadline(waitMs, deadline.signal);
  }

  /** Who can tell what was seen on a server: it may be the primary by now. */
  #positionsIn(life: ServerLife): ServerPositions | undefined {
    const { primary, replicas } = this.#options;
    const epoch = primary.openEpoch;
    const isPrimary = epoch !== undefined && sameLife(epoch.life, life);
    return isPrimary ? epoch.positions : replicas.serverIn(life)?.positions;
  }

  /** Asks the servers that were read what was seen there at most. */
  async #hear({ seen, primaryAt }: Floor, limit: Deadline): Promise<void> {
    const questions = seen.map((server) => this.#positionsIn(server)?.since(server.at, limit));
    if (primaryAt !== undefined) {
      questions.push(this.#options.primary.openEpoch?.positions.since(primaryAt, limit));
    }
    await Promise.all(questions);
  }

  #rated({ floor }: ReadNeed, tried: readonly ReadTarget[]): readonly Rated[] {
    return this.#options.replicas.candidates.flatMap((replica) => {
      const { server } = replica;
      if (server === undefined || tried.includes(replica)) return [];
      const life = server.identified ? server.life : undefined;
      const holds = (position: Position): boolean => server.positions.holds(position);
      return [{ replica, server, fitness: fitnessOf({ life, holds }, floor, this.#witnesses) }];
    });
  }

  /** The server that was read last if it will do, else one by the policy. */
  #knownToDo(need: ReadNeed, tried: readonly ReadTarget[]): Place | undefined {
    const { choice, primary } = this.#options;
    const able = this.#rated(need, tried).filter(({ fitness }) => fitness.kind === 'fit');
    const home = able.find(({ server }) => server.identified && server.life.key === need.home);
    if (home !== undefined) return this.#placeAt(home, need);
    const mayUsePrimary = choice.primary.weight > 0 && primary.available && !tried.includes(choice.primary);
    const replicas = able.map(({ replica }) => replica);
    const target = choice.among(mayUsePrimary ? [...replicas, choice.primary] : replicas);
    const chosen = able.find(({ replica }) => replica === target);
    if (chosen !== undefined) return this.#placeAt(chosen, need);
    return target === undefined ? undefined : { target, server: undefined, required: undefined };
  }

  /** A balanced address: whether it will do shows on the connection. */
  #checkable(need: ReadNeed, tried: readonly ReadTarget[]): Place | undefined {
    const open = this.#rated(need, tried).flatMap(({ replica, server, fitness }) =>
      fitness.kind === 'open' && !server.identified
        ? [{ target: replica, server: undefined, required: fitness.required }]
        : [],
    );
    const target = this.#options.choice.among(open.map((place) => place.target));
    return open.find((place) => place.target === target);
  }

  #hopeful(need: ReadNeed, tried: readonly ReadTarget[]): readonly Hopeful[] {
    const primary = this.#options.primary.openEpoch?.positions;
    return this.#rated(need, tried).flatMap(({ replica, server, fitness }) =>
      fitness.kind === 'open' && server.identified && !this.#laggards.includes(server.positions, primary)
        ? [{ replica, server, missing: fitness.required }]
        : [],
    );
  }

  /** The replica that gets there first. */
  async #first(need: ReadNeed, tried: readonly ReadTarget[], limit: Deadline): Promise<Place | undefined> {
    const first = await firstToReach(this.#hopeful(need, tried), limit);
    return first === undefined ? undefined : this.#placeAt(first, need);
  }

  #placeAt({ replica, server }: Pick<Rated, 'replica' | 'server'>, need: ReadNeed): Place {
    if (!server.identified) return { target: replica, server: undefined, required: undefined };
    need.choseHome(server.life.key);
    return { target: replica, server, required: undefined };
  }
}

/** Waits for all of them at once, and stops waiting as soon as one is there. */
async function firstToReach(hopeful: readonly Hopeful[], limit: Deadline): Promise<Hopeful | undefined> {
  if (hopeful.length === 0) return undefined;
  const over = new AbortController();
  const cancel = limit.onInterrupt(() => over.abort());
  const whileNeeded = new Deadline(Number.POSITIVE_INFINITY, over.signal);
  try {
    return await Promise.any(
      hopeful.map(async (candidate) => {
        const isThere = await candidate.server.positions.reach(candidate.missing, whileNeeded);
        if (!isThere) throw notThere;
        return candidate;
      }),
    );
  } catch {
    return undefined;
  } finally {
    cancel();
    over.abort();
  }
}
