import type { Position } from '../consistency/position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { describeIdentity, type Identity } from '../pool/identity.ts';
import type { StaleWrite } from './stale-writes.ts';

/** What goes on arriving is told together, at most this often. */
const gapMs = 10_000;

interface Pending {
  readonly epoch: number;
  readonly positions: Position;
  readonly after: Position;
}

/** Tells of late transactions at once, and of those that follow together with others, but of every one. */
export class StaleTold {
  readonly #events: ClusterEmitter;
  readonly #pending = new Map<Identity, Pending>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(events: ClusterEmitter) {
    this.#events = events;
  }

  /** To be called after every look, also with nothing found. */
  add(epoch: number, found: readonly StaleWrite[], now: number): void {
    for (const { source, positions, after } of found) {
      const pending = this.#pending.get(source);
      this.#pending.set(source, {
        epoch: pending?.epoch ?? epoch,
        positions: pending?.positions.union(positions) ?? positions,
        after: pending?.after ?? after,
      });
    }
    if (this.#pending.size === 0 || now - this.#toldAt < gapMs) return;
    this.#toldAt = now;
    for (const [source, { positions, after, ...told }] of this.#pending) {
      this.#events.emit('stale-primary:wrote', {
        ...told,
        server: describeIdentity(source),
        positions: positions.toString(),
        after: after.toString(),
      });
    }
    this.#pending.clear();
  }
}
