import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { ReadTerms } from '../topology/read-terms.ts';
import type { Candidate } from './candidate.ts';

/** A server that can be chosen for a read, and asked. */
export interface ReadTarget extends Candidate {
  /** What errors and events call it. */
  readonly name: string;
  /**
   * Lends a READ ONLY session to `run`. Rejects with `Failed`, with a `VipsqlError`, or with what `run` rejects with.
   */
  read<T>(deadline: Deadline, run: (connection: Connection) => Promise<T>, terms?: ReadTerms): Promise<T>;
}
