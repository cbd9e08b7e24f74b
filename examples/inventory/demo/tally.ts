import type { Attempts, Exchange } from './client.ts';

/** Counts what the buyers went through. */
export class Tally {
  requests = 0;
  repeats = 0;
  unavailable = 0;
  broken = 0;
  inDoubt = 0;
  longestWaitMs = 0;
  /** Requests of which at least one answer said "in doubt", by what the repeat brought to light. */
  readonly inDoubtResolved = { hadBeenDone: 0, doneByRepeat: 0, refused: 0, unanswered: 0 };

  /** To be called once for each exchange. */
  add({ answer, attempts }: Exchange): void {
    this.#addAttempts(attempts);
    if (attempts.inDoubt === 0) return;
    if (answer === undefined) this.inDoubtResolved.unanswered += 1;
    else if (answer.status === 201) this.inDoubtResolved.doneByRepeat += 1;
    else if (answer.status === 200) this.inDoubtResolved.hadBeenDone += 1;
    else this.inDoubtResolved.refused += 1;
  }

  #addAttempts({ sent, unavailable, inDoubt, broken, waitedMs }: Attempts): void {
    this.requests += 1;
    this.repeats += sent - 1;
    this.unavailable += unavailable;
    this.inDoubt += inDoubt;
    this.broken += broken;
    this.longestWaitMs = Math.max(this.longestWaitMs, waitedMs);
  }
}
