import type { Position } from '../consistency/position.ts';
import type { ServerPositions } from '../topology/server-positions.ts';

interface Lag {
  readonly missed: Position;
  /** The primary that had it: after a failover it may be lost. */
  readonly primary: ServerPositions;
}

/**
 * Servers that did not get to a position of the primary's in time. Until their monitor hears that they have, nobody
 * waits for them: with a stopped applier every read would wait in vain.
 */
export class Laggards {
  readonly #lags = new WeakMap<ServerPositions, Lag>();

  /** `primary` has it, and `server` did not get there in time. */
  add(server: ServerPositions, missed: Position, primary: ServerPositions): void {
    this.#lags.set(server, { missed, primary });
  }

  includes(server: ServerPositions, primary: ServerPositions | undefined): boolean {
    const lag = this.#lags.get(server);
    if (lag === undefined) return false;
    if (lag.primary === primary && !server.holds(lag.missed)) return true;
    this.#lags.delete(server);
    return false;
  }
}
