import type { ClusterEmitter } from '../observe/emitter.ts';

/** What keeps the lag from being known, and what to do about it. */
export interface LagProblem {
  readonly reason: string;
  readonly remedy: string;
}

/** Tells what keeps the lag on one server from being known: once, and again only after it was in order. */
export class LagComplaints {
  readonly #events: ClusterEmitter;
  /** By its remedy: the server's words may differ each time. */
  #told: string | undefined;

  constructor(events: ClusterEmitter) {
    this.#events = events;
  }

  /** `undefined`: it is in order now. */
  note(server: string, problem: LagProblem | undefined): void {
    if (this.#told === problem?.remedy) return;
    this.#told = problem?.remedy;
    if (problem !== undefined) this.#events.emit('lag:unavailable', { server, ...problem });
  }
}
