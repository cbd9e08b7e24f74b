import {
  afterCheckedRead,
  afterFallbackRead,
  afterPrimaryRead,
  afterReplicaRead,
  afterUnplacedWrite,
  afterWrite,
  type Floor,
  unionOfFloors,
  withoutLost,
} from '../consistency/floor.ts';
import type { Answer } from '../pool/command.ts';
import type { ReadNeed } from '../routing/read-need.ts';

/** What one `db.session` has written and read so far. */
export class Session {
  #floor: Floor;
  #home: string | undefined;

  constructor(floor: Floor) {
    this.#floor = floor;
    // A token names the server of the last read last.
    this.#home = floor.seen.at(-1)?.key;
  }

  get floor(): Floor {
    return this.#floor;
  }

  get home(): string | undefined {
    return this.#home;
  }

  /** The primary has answered. */
  noteAnswer({ vendor, position, isUnplaced }: Pick<Answer, 'vendor' | 'position' | 'isUnplaced'>): void {
    if (position !== undefined) this.#floor = afterWrite(this.#floor, vendor, position);
    else if (isUnplaced) this.#floor = afterUnplacedWrite(this.#floor);
    else this.notePrimary();
  }

  /** Something was read on the primary, or may have been written there without an answer. */
  notePrimary(): void {
    this.#floor = afterPrimaryRead(this.#floor, performance.now());
  }

  /** Takes over what another session has seen. */
  absorb(other: Session): void {
    this.#floor = unionOfFloors(this.#floor, other.floor);
    this.#home = other.home ?? this.#home;
  }

  /** What a read of this session needs that must see `floor` besides. */
  need(floor: Floor = this.#floor): ReadNeed {
    return {
      floor,
      home: this.#home,
      choseHome: (key) => {
        this.#home = key;
      },
      sawReplica: (server) => {
        this.#floor = afterReplicaRead(this.#floor, floor, server);
      },
      sawPrimary: (at) => {
        this.#floor = afterFallbackRead(this.#floor, floor, at);
      },
      sawPosition: (position) => {
        this.#floor =
          position === undefined
            ? afterUnplacedWrite(this.#floor)
            : afterCheckedRead(this.#floor, floor, position);
      },
      lost: (position) => {
        this.#floor = withoutLost(this.#floor, position);
      },
    };
  }
}

/** What a read needs that stands alone. */
export function needOf(floor: Floor): ReadNeed {
  return {
    floor,
    home: undefined,
    choseHome() {},
    sawReplica() {},
    sawPrimary() {},
    sawPosition() {},
    lost() {},
  };
}

/** Runs a statement on the primary and tells the session what it said. */
export function answeredFor(session: Session | undefined, run: () => Promise<Answer>): Promise<Answer> {
  return session === undefined ? run() : noted(session, run);
}

async function noted(session: Session, run: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await run();
    session.noteAnswer(answer);
    return answer;
  } catch (error) {
    // It may have been executed all the same.
    session.notePrimary();
    throw error;
  }
}

/** Runs something that reads on the primary in ways that are not followed one by one. */
export async function seenBy<T>(session: Session | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    session?.notePrimary();
  }
}
