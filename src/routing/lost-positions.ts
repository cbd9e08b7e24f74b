import type { Position } from '../consistency/position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { PrimaryReader } from '../topology/primary-reader.ts';

/** Recognises positions that no server will ever get to, and tells of them once per primary and source. */
export class LostPositions {
  readonly #events: ClusterEmitter;
  #told = new Set<string>();
  #epoch = 0;

  constructor(events: ClusterEmitter) {
    this.#events = events;
  }

  /** The part of `wanted` that the primary does not have, to be called after it was waited for. */
  recognise(
    wanted: Position | undefined,
    { number, server, positions }: NonNullable<PrimaryReader['openEpoch']>,
  ): Position | undefined {
    const held = positions.known?.atMost;
    if (wanted === undefined || held === undefined) return undefined;
    const missing = wanted.vendor === held.vendor ? wanted.subtract(held) : wanted;
    if (missing.isEmpty) return undefined;
    this.#tell(number, server, missing);
    return missing;
  }

  #tell(epoch: number, server: string, missing: Position): void {
    if (epoch !== this.#epoch) this.#told.clear();
    this.#epoch = epoch;
    const sources = missing.spans().map(({ source }) => source);
    if (sources.every((source) => this.#told.has(source)) || this.#told.size >= mostTold) return;
    for (const source of sources) this.#told.add(source);
    this.#events.emit('position:lost', { epoch, server, missing: missing.toString() });
  }
}

/** Tokens that are not signed may claim anything; they must not flood the listeners. */
const mostTold = 100;
