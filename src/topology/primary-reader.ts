import type { Connection } from '../pool/connection.ts';
import type { Identity } from '../pool/identity.ts';
import type { Deadline } from '../resilience/deadline.ts';

/** The primary as a place for replica reads: READ ONLY sessions, at most `fallbackMax` at once. */
export interface PrimaryReader {
  /** Operations on the primary run now rather than wait for a failover. */
  readonly available: boolean;
  readonly identity: Identity | undefined;
  /** Reads under way. */
  readonly inFlight: number;
  /** Waits for the primary and for a free session until the deadline, then lends the session to `run`. */
  read<T>(deadline: Deadline, run: (connection: Connection) => Promise<T>): Promise<T>;
}
