import type { Position } from '../consistency/position.ts';
import type { ReadNeed } from '../routing/read-need.ts';

/** Learns from the reads of one load for the cache what its value may claim to have seen. */
export class LoadWatch {
  /** A part of what had to be seen is not on the primary: nobody will ever have it. */
  isLost = false;
  #onReplica = false;
  #onPrimary = false;

  /**
   * Every read was answered by a replica that had all of it. The primary is read without asking whether it has what a
   * session has seen elsewhere.
   */
  get isProven(): boolean {
    return this.#onReplica && !this.#onPrimary && !this.isLost;
  }

  /** The same need, with this watch told as well. */
  told(need: ReadNeed): ReadNeed {
    return {
      ...need,
      sawReplica: (server) => {
        this.#onReplica = true;
        need.sawReplica(server);
      },
      sawPosition: (position) => {
        this.#onReplica = true;
        need.sawPosition(position);
      },
      sawPrimary: (at) => {
        this.#onPrimary = true;
        need.sawPrimary(at);
      },
      lost: (position: Position) => {
        this.isLost = true;
        need.lost(position);
      },
    };
  }
}
