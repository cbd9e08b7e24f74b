import type { ClusterEmitter } from '../observe/emitter.ts';

/** What keeps a master from being watched. */
export type Complaint = 'login' | 'positions' | 'received' | 'unrelated';

/** Tells what keeps one master from being watched: each thing once, and again only after it was in order. */
export class Complaints {
  readonly #master: string;
  readonly #events: ClusterEmitter;
  readonly #made = new Set<Complaint>();

  constructor(master: string, events: ClusterEmitter) {
    this.#master = master;
    this.#events = events;
  }

  make(complaint: Complaint, reason: string): void {
    if (this.#made.has(complaint)) return;
    this.#made.add(complaint);
    this.#events.emit('master:unwatched', { master: this.#master, reason });
  }

  /** It is in order now. */
  settle(complaint: Complaint): void {
    this.#made.delete(complaint);
  }
}
