import type { ReplicaServer } from './replica-server.ts';

/** How a read is to be taken, where it matters. */
export interface ReadTerms {
  /** `false` keeps a read whose length the caller decides, as a stream's, out of the latency. Default `true`. */
  readonly timed?: boolean;
  /** The server in the life of which something is known: another one that answers there by now will not do. */
  readonly server?: ReplicaServer | undefined;
}
