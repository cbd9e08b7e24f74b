import { AcknowledgedPositions } from '../consistency/acknowledged-positions.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { ServerFacts } from '../pool/identity.ts';
import type { PositionListener } from '../pool/session-status.ts';

/** Collects the positions of acknowledged writes, and tells once when there are none to be had. */
export class PositionTracking {
  readonly acknowledged = new AcknowledgedPositions();
  readonly #events: ClusterEmitter;
  readonly #isAsked: boolean;
  /** A write has returned its position. */
  #available = false;
  /** The server on which a write returned none, before any had returned one. */
  #silentServer: string | undefined;
  #told = false;

  /** `isAsked`: whether new primaries are asked for positions. Where they are not, only sessions can miss them. */
  constructor(events: ClusterEmitter, isAsked: boolean) {
    this.#events = events;
    this.#isAsked = isAsked;
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
    this.unavailable(this.#silentServer, withoutAny);
  }

  /** A new primary could not be asked for positions. */
  unavailable(server: string, reason: string): void {
    if (this.#isAsked) this.#tell(server, reason);
  }

  /** A session has to read on the primary, which has no positions for `reason`, or has not told one so far. */
  missed(server: string, reason: string | undefined): void {
    if (reason !== undefined || !this.#available) this.#tell(server, reason ?? withoutAny);
  }

  /** Tells of the first reason only; the others have the same remedy. */
  #tell(server: string, reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#events.emit('positions:unavailable', { server, reason, remedy });
  }
}

const withoutAny = 'its answers to writes carried none';

const remedy =
  'Until then a new primary opens without being asked for acknowledged writes, and sessions that have written read on ' +
  'the primary. On every master, switch on the binary ' +
  'log and, on MySQL, gtid_mode=ON; a proxy in between has to hand on what the server tells of the session. ' +
  'With failover.catchUpMs: 0 you do without.';
