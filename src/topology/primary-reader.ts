import type { Connection } from '../pool/connection.ts';
import type { Identity } from '../pool/identity.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { Epoch } from './epoch.ts';

/** The primary as a place for replica reads: READ ONLY sessions, at most `fallbackMax` at once. */
export interface PrimaryReader {
  /** `host:port` of the VIP. */
  readonly address: string;
  /** Operations on the primary run now rather than wait for a failover. */
  readonly available: boolean;
  readonly identity: Identity | undefined;
  /** The primary in its present life, while operations run on it. */
  readonly openEpoch: Pick<Epoch, 'number' | 'server' | 'life' | 'positions'> | undefined;
  /** A session needs a position that the primary has not told. */
  missPosition(): void;
  /** Reads under way. */
  readonly inFlight: number;
  /** Waits for the primary and for a free session until the deadline, then lends the session to `run`. */
  read<T>(deadline: Deadline, run: (connection: Connection) => Promise<T>): Promise<T>;
}
