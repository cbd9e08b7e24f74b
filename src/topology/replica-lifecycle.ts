import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Failure } from '../resilience/failures.ts';
import type { ReplicaServer } from './replica-server.ts';

export type ReplicaState =
  /** The first connection is being made. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'serving'; readonly server: ReplicaServer }
  /** The breaker is open or half-open: reads under way go on, and no new ones come. */
  | { readonly kind: 'tripped'; readonly server: ReplicaServer; readonly reason: string }
  | { readonly kind: 'down'; readonly reason: string }
  /** No longer wanted: reads under way may end. */
  | {
      readonly kind: 'leaving';
      readonly server: ReplicaServer;
      readonly end: () => void;
      readonly limit: NodeJS.Timeout;
    }
  | { readonly kind: 'closed' };

export interface ReplicaLifecycleOptions {
  readonly name: string;
  /** It ramps up the first time too. */
  readonly startsCold: boolean;
  readonly events: ClusterEmitter;
  /** It takes reads now, or does not any more, or turned out to be another server. */
  readonly onChange: () => void;
}

/** Whether a replica takes reads, and why not: the only place where that changes, and is told. */
export class ReplicaLifecycle {
  readonly #options: ReplicaLifecycleOptions;
  #state: ReplicaState = { kind: 'connecting' };
  #upSince = Number.NEGATIVE_INFINITY;
  #downSince = performance.now();

  constructor(options: ReplicaLifecycleOptions) {
    this.#options = options;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** The server that answers there; `undefined` while none does. */
  get server(): ReplicaServer | undefined {
    return 'server' in this.#state ? this.#state.server : undefined;
  }

  /** Since when it serves and ramps up; `-Infinity` when it has its full share. */
  get upSince(): number {
    return this.#upSince;
  }

  /** A server answers. */
  serve(server: ReplicaServer): void {
    const returns = this.#state.kind === 'down' || this.#options.startsCold;
    this.#state = { kind: 'serving', server };
    if (returns) this.#upSince = performance.now();
    this.#announceUp();
  }

  /** Its breaker has opened. */
  trip(reason: string): void {
    if (this.#state.kind !== 'serving') return;
    this.#state = { kind: 'tripped', server: this.#state.server, reason };
    this.#announceDown(reason);
  }

  /** Its breaker has closed. */
  resume(): void {
    if (this.#state.kind !== 'tripped') return;
    this.#state = { kind: 'serving', server: this.#state.server };
    this.#upSince = performance.now();
    this.#announceUp();
  }

  /** The server cannot be reached: ends every connection to it, so that reads on them are tried elsewhere at once. */
  goDown(reason: string): void {
    const before = this.#state;
    if (before.kind === 'closed') return;
    if (before.kind === 'leaving') {
      before.end();
      return;
    }
    this.#state = { kind: 'down', reason };
    if ('server' in before) before.server.retire(lost(this.#options.name, reason));
    if (before.kind === 'tripped') this.#options.onChange();
    else if (before.kind !== 'down') this.#announceDown(reason);
  }

  /** Takes no new reads. Calls `end`, which is to close it, after `graceMs` or when the server is gone. */
  leave(graceMs: number, end: () => void): void {
    const { server } = this;
    if (server === undefined) {
      end();
      return;
    }
    this.#state = { kind: 'leaving', server, end, limit: setTimeout(end, graceMs) };
    this.#options.onChange();
  }

  /** Ends every connection, in use or not. */
  close(failure: Failure): void {
    const { server } = this;
    if (this.#state.kind === 'leaving') clearTimeout(this.#state.limit);
    this.#state = { kind: 'closed' };
    server?.retire(failure);
    this.#options.onChange();
  }

  #announceUp(): void {
    const { name, events, onChange } = this.#options;
    onChange();
    events.emit('replica:up', { replica: name, downMs: Math.round(performance.now() - this.#downSince) });
  }

  #announceDown(reason: string): void {
    const { name, events, onChange } = this.#options;
    this.#downSince = performance.now();
    onChange();
    events.emit('replica:down', { replica: name, reason });
  }
}

/** What reads on the connections of a replica are told when these are ended. */
export function lost(replica: string, reason: string): Failure {
  const message = `replica ${replica}: ${reason}`;
  return { kind: 'lost', outcome: 'unknown', message, cause: undefined, connection: 'destroy' };
}
