/**
 * Probes that may wait for a greeting before the pace slows: a frozen server counts each one that is given up, and a
 * busy one has to serve them all. After a move the keep-alive probes of those that wait are answered with RST, each
 * at another part of the second.
 */
const eagerProbes = 4;

const slowGapMs = 1_000;

/** A server that has spoken this lately lives and is busy, as when many clients come after a move. */
const livesMs = 500;

const busyGapMs = 3_000;

/** After this long without an answer there is time enough to be gentle. */
const longOutageMs = 5_000;

export interface ProbeSituation {
  readonly heartbeatMs: number;
  /** Probes that have not ended: connecting, or waiting for a greeting. */
  readonly underWay: number;
  /** For how long no server has said anything to any of them; infinite while none was greeted. */
  readonly silentMs: number;
  /** For how long the VIP has been looked for. */
  readonly lookingMs: number;
}

/**
 * How long after the last probe the next one may begin. A new primary is found within this time of its first answer, and
 * within a second in all: nothing but a login that goes on well makes the wait for another longer.
 */
export function nextProbeGapMs({ heartbeatMs, underWay, silentMs, lookingMs }: ProbeSituation): number {
  if (silentMs < livesMs) return busyGapMs;
  if (underWay >= eagerProbes) return slowGapMs;
  return underWay === 0 && lookingMs < longOutageMs ? heartbeatMs / 4 : heartbeatMs / 2;
}

/**
 * How long after the last one the next probe may begin out of turn, because a socket was reset that had waited: a move
 * resets many at once, and a peer that closes each connection after a while does so for ever.
 */
export function eagerGapMs(heartbeatMs: number): number {
  return heartbeatMs / 2;
}
