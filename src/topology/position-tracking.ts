import { AcknowledgedPositions } from '../consistency/acknowledged-positions.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { ServerFacts } from '../pool/identity.ts';
import type { PositionListener } from '../pool/session-status.ts';

/** Collects the positions of acknowledged writes, and tells once when there are none to be had. */
export class PositionTracking {
  readonly acknowledged = new AcknowledgedPositions();
  readonly #events: ClusterEmitter | undefined;
  /** A write has returned its position. */
  #available = false;
  /** The server on which a write returned none, before any had returned one. */
  #silentServer: string | undefined;
  #told = false;

  /** Without `events` nobody asks for positions, and nobody misses them. */
  constructor(events: ClusterEmitter | undefined) {
    this.#events = events;
  }

  /** What the connections to a primary report to. */
  listener(server: string, { vendor, withoutPositions }: ServerFacts): PositionListener {
    return {
      onPosition: (position) => {
        if (this.acknowledged.add(vendor, position)) this.#available = true;
      },
      onCommitWithoutPosition: () => {
        if (withoutPositions !== undefined) this.unavailable(server, withoutPositions);
        else if (!this.#available) this.#silentServer ??= server;
      },
    };
  }

  /**
   * A primary follows another one, and there is nothing to ask it for. One write without a position proves nothing,
   * since changes of temporary tables have none; that none ever had one does.
   */
  notAsked(): void {
    if (this.#available || this.#silentServer === undefined) return;
    this.unavailable(this.#silentServer, 'its answers to writes carried none');
  }

  /** Tells of the first reason only; the others have the same remedy. */
  unavailable(server: string, reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#events?.emit('positions:unavailable', { server, reason, remedy });
  }
}

const remedy =
  'Until then a new primary opens without being asked for acknowledged writes. On every master, switch on the binary ' +
  'log and, on MySQL, gtid_mode=ON; a proxy in between has to hand on what the server tells of the session. ' +
  'With failover.catchUpMs: 0 you do without.';
