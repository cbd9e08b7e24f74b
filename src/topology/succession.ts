import type { ClusterEmitter } from '../observe/emitter.ts';
import type { InterruptionReason } from '../observe/events.ts';
import type { Connection } from '../pool/connection.ts';
import { describeIdentity } from '../pool/identity.ts';
import type { Failure } from '../resilience/failures.ts';
import type { Epoch } from './epoch.ts';
import type { Sighting } from './vip-watch.ts';

export type PrimaryState =
  /** No epoch yet, or the last one ended and its successor does not accept writes so far. */
  | { readonly kind: 'searching'; readonly since: number; readonly failure: Failure | undefined }
  | { readonly kind: 'open'; readonly epoch: Epoch }
  /** The epoch may go on: the same server may answer again. */
  | { readonly kind: 'interrupted'; readonly epoch: Epoch; readonly since: number; readonly failure: Failure }
  | { readonly kind: 'closed' };

export interface SuccessionOptions {
  readonly events: ClusterEmitter;
  readonly createEpoch: (number: number, witness: Connection) => Epoch;
  /** Operations may run from now on. */
  readonly onOpen: (state: PrimaryState & { readonly kind: 'open' }) => void;
  /** Operations have to wait from now on, or fail if waiting does not help. */
  readonly onInterrupted: (failure: Failure) => void;
}

/** Which primary follows which: turns what the watch sees into epochs, and says whether operations may run. */
export class Succession {
  readonly #options: SuccessionOptions;
  #state: PrimaryState = { kind: 'searching', since: performance.now(), failure: undefined };
  #lastNumber = 0;
  #lastServer: string | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  get state(): PrimaryState {
    return this.#state;
  }

  /** The epoch that is open or may go on. */
  get epoch(): Epoch | undefined {
    const state = this.#state;
    return state.kind === 'open' || state.kind === 'interrupted' ? state.epoch : undefined;
  }

  /** Somebody answers at the VIP: another server or life ends the epoch, and a writable one begins or resumes it. */
  sighted({ connection, writable, floor }: Sighting): void {
    if (this.#state.kind === 'closed') return;
    const { epoch } = this;
    if (epoch !== undefined && !epoch.includes(connection, floor)) {
      this.#retire(epoch, `${describeIdentity(connection.facts.identity)} answers at the VIP now`);
    } else {
      epoch?.saw(connection);
    }
    if (writable) this.#open(connection);
    else this.interrupt('read-only', readOnlyFailure(connection));
  }

  /** Nobody answers, or nobody takes writes. */
  interrupt(reason: InterruptionReason, failure: Failure): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    const isNews = state.kind === 'open' || state.failure === undefined;
    this.#state =
      state.kind === 'open'
        ? { kind: 'interrupted', epoch: state.epoch, since: performance.now(), failure }
        : { ...state, failure };
    this.#options.onInterrupted(failure);
    if (!isNews) return;
    const { message } = failure;
    this.#options.events.emit('primary:interrupted', { epoch: this.epoch?.number, reason, message });
  }

  close(failure: Failure): void {
    this.epoch?.retire(failure);
    this.#state = { kind: 'closed' };
  }

  /** The address leads elsewhere: whatever still waits on the old connections waits in vain. */
  #retire(epoch: Epoch, message: string): void {
    const state = this.#state;
    const lost: Failure = {
      kind: 'lost',
      outcome: 'unknown',
      message,
      cause: undefined,
      connection: 'destroy',
    };
    this.#lastServer = epoch.server;
    this.#state =
      state.kind === 'interrupted'
        ? { kind: 'searching', since: state.since, failure: state.failure }
        : { kind: 'searching', since: performance.now(), failure: undefined };
    epoch.retire(lost);
  }

  #open(witness: Connection): void {
    const { events, createEpoch, onOpen } = this.#options;
    const state = this.#state;
    if (state.kind === 'open' || state.kind === 'closed') return;
    const interruptedMs = Math.round(performance.now() - state.since);
    const isSame = state.kind === 'interrupted';
    if (!isSame) this.#lastNumber += 1;
    const epoch = isSame ? state.epoch : createEpoch(this.#lastNumber, witness);
    const open = { kind: 'open', epoch } as const;
    this.#state = open;
    if (isSame) {
      events.emit('primary:resumed', { epoch: epoch.number, interruptedMs });
    } else {
      const { number, server } = epoch;
      events.emit('epoch:opened', { epoch: number, server, previous: this.#lastServer, interruptedMs });
    }
    onOpen(open);
  }
}

function readOnlyFailure({ facts }: Connection): Failure {
  const message = `${describeIdentity(facts.identity)} answers at the VIP and is read-only`;
  return { kind: 'read-only', outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}
