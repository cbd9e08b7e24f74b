/** The least that choosing needs to know of a server that may serve a read. */
export interface Candidate {
  /** Its share of the reads relative to the others, above 0. */
  readonly weight: number;
  readonly zone: string | undefined;
  /** Reads under way on it, those included that wait for a connection. */
  readonly inFlight: number;
  /** Since when it serves; `-Infinity` for one that takes its full share at once. */
  readonly upSince: number;
  /** A moving average of how long its reads take. */
  latencyMs(now: number): number;
}

/** What choosing takes from outside, so that it can be tested from tables. */
export interface Surroundings {
  /** Milliseconds from any start, the same as {@link Candidate.upSince}. */
  readonly now: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** A server that has returned takes its full share after this long; 0 is at once. */
  readonly rampUpMs: number;
}

/** Picks one of the candidates it was made for. */
export type Chooser<C extends Candidate> = () => C;

/** Makes a chooser for candidates that stay the same until the next change of any server's state; never for none. */
export type Policy = <C extends Candidate>(
  candidates: readonly C[],
  surroundings: Surroundings,
) => Chooser<C>;
