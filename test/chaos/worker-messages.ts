import type { ClientTarget } from './client.ts';
import type { ClientName } from './clients/clients.ts';
import type { History } from './history.ts';
import type { Rates } from './rates.ts';

/** What a worker process is started with. */
export interface WorkerSetup {
  readonly worker: number;
  readonly client: ClientName;
  readonly target: ClientTarget;
  readonly seed: number;
}

/** What a worker process is told. */
export type WorkerRequest =
  | { readonly kind: 'start'; readonly rates: Rates }
  | { readonly kind: 'write-event' }
  | { readonly kind: 'stop'; readonly patienceMs: number };

/** What it answers. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'history'; readonly history: History };
