import type { ClusterEmitter } from '../observe/emitter.ts';
import type { InterruptionReason } from '../observe/events.ts';
import type { Connection } from '../pool/connection.ts';
import { describeIdentity } from '../pool/identity.ts';
import type { Failure } from '../resilience/failures.ts';
import type { CatchUp, CaughtUp } from './catch-up.ts';
import type { Epoch } from './epoch.ts';
import type { Sighting } from './vip-watch.ts';

export type PrimaryState =
  /** No epoch yet, or the last one ended and its successor does not accept writes so far. */
  | { readonly kind: 'searching'; readonly since: number; readonly failure: Failure | undefined }
  /** A writable server was sighted that may not have everything yet. */
  | {
      readonly kind: 'catching-up';
      readonly epoch: Epoch;
      readonly since: number;
      /** What operations had waited for before; `undefined` when nothing was interrupted. */
      readonly failure: Failure | undefined;
      /** Fires when the state is left. */
      readonly left: AbortController;
    }
  | { readonly kind: 'open'; readonly epoch: Epoch }
  /** The epoch may go on: the same server may answer again. */
  | { readonly kind: 'interrupted'; readonly epoch: Epoch; readonly since: number; readonly failure: Failure }
  | { readonly kind: 'closed' };

export interface SuccessionOptions {
  readonly events: ClusterEmitter;
  readonly createEpoch: (number: number, witness: Connection) => Epoch;
  /** Keeps a new epoch closed until its server has what was acknowledged. */
  readonly catchUp: CatchUp;
  /** Operations may run from now on. */
  readonly onOpen: (epoch: Epoch) => void;
  /** Operations have to wait from now on, or fail if waiting does not help. */
  readonly onInterrupted: (failure: Failure) => void;
}

/** Which primary follows which: turns what the watch sees into epochs, and says whether operations may run. */
export class Succession {
  readonly #options: SuccessionOptions;
  #state: PrimaryState = { kind: 'searching', since: performance.now(), failure: undefined };
  #lastNumber = 0;
  /** The epoch that was opened last. */
  #lastOpened: Epoch | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  get state(): PrimaryState {
    return this.#state;
  }

  /** The epoch that is open, may go on, or may open soon. */
  get epoch(): Epoch | undefined {
    const state = this.#state;
    return 'epoch' in state ? state.epoch : undefined;
  }

  /** What keeps operations waiting; `undefined` before anything is known. */
  get hindrance(): Failure | undefined {
    const state = this.#state;
    if (state.kind === 'open' || state.kind === 'closed') return undefined;
    return state.kind === 'catching-up' ? catchingUp(state.epoch) : state.failure;
  }

  /** Why the epoch may be over; `undefined` while nothing speaks for that. */
  get interruption(): Failure | undefined {
    const state = this.#state;
    return state.kind === 'interrupted' ? state.failure : undefined;
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
    const since = state.kind === 'open' ? performance.now() : state.since;
    const { epoch } = this;
    this.#enter(
      epoch === undefined
        ? { kind: 'searching', since, failure }
        : { kind: 'interrupted', epoch, since, failure },
    );
    this.#options.onInterrupted(failure);
    if (!isNews) return;
    const { message } = failure;
    this.#options.events.emit('primary:interrupted', { epoch: this.epoch?.number, reason, message });
  }

  close(failure: Failure): void {
    this.epoch?.retire(failure);
    this.#enter({ kind: 'closed' });
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
    const { since, failure } =
      state.kind === 'interrupted' || state.kind === 'catching-up'
        ? state
        : { since: performance.now(), failure: undefined };
    this.#enter({ kind: 'searching', since, failure });
    epoch.retire(lost);
  }

  #open(witness: Connection): void {
    const state = this.#state;
    if (state.kind === 'searching') {
      this.#lastNumber += 1;
      this.#catchUp(this.#options.createEpoch(this.#lastNumber, witness), state);
    } else if (state.kind === 'interrupted') {
      if (state.epoch === this.#lastOpened) this.#resume(state.epoch, state.since);
      else this.#catchUp(state.epoch, state);
    }
  }

  #catchUp(
    epoch: Epoch,
    { since, failure }: PrimaryState & { readonly kind: 'searching' | 'interrupted' },
  ): void {
    const left = new AbortController();
    this.#enter({ kind: 'catching-up', epoch, since, failure, left });
    this.#options.catchUp.run(epoch, left.signal, (result) => this.#begin(epoch, since, result));
  }

  #begin(epoch: Epoch, since: number, { missing, waitedMs }: CaughtUp): void {
    const { events, onOpen } = this.#options;
    const { number, server } = epoch;
    const previous = this.#lastOpened?.server;
    this.#lastOpened = epoch;
    this.#enter({ kind: 'open', epoch });
    events.emit('epoch:opened', { epoch: number, server, previous, interruptedMs: elapsedMs(since) });
    if (missing !== undefined) events.emit('primary:behind', { epoch: number, server, missing, waitedMs });
    onOpen(epoch);
  }

  #resume(epoch: Epoch, since: number): void {
    const { events, onOpen } = this.#options;
    this.#enter({ kind: 'open', epoch });
    events.emit('primary:resumed', { epoch: epoch.number, interruptedMs: elapsedMs(since) });
    onOpen(epoch);
  }

  #enter(state: PrimaryState): void {
    const left = this.#state;
    this.#state = state;
    if (left.kind === 'catching-up') left.left.abort();
  }
}

function catchingUp({ server }: Epoch): Failure {
  const message = `${server} answers, and does not hold every acknowledged write yet (failover.catchUpMs)`;
  return { kind: 'connect', outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}

function elapsedMs(since: number): number {
  return Math.round(performance.now() - since);
}

function readOnlyFailure({ facts }: Connection): Failure {
  const message = `${describeIdentity(facts.identity)} answers at the VIP and is read-only`;
  return { kind: 'read-only', outcome: 'not-executed', message, cause: undefined, connection: 'destroy' };
}
