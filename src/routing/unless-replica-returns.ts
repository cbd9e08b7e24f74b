import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { ReplicaSet } from '../topology/replica-set.ts';

/** The wait for the primary was broken off because a replica may serve again. */
export const replicaReturned = Symbol('replica returned');

/**
 * Runs a read on a primary that is away, and breaks off its waiting when a replica may serve before: rejects with
 * {@link replicaReturned} then. `read` is to wait by the deadline it is given, and to call `started` once it waits no more.
 */
export async function unlessReplicaReturns<T>(
  replicas: Pick<ReplicaSet, 'candidates' | 'onChange'>,
  deadline: Deadline,
  read: (deadline: Deadline, started: () => void) => Promise<T>,
): Promise<T> {
  const returned = new AbortController();
  const stop = replicas.onChange(() => {
    if (replicas.candidates.length > 0) returned.abort();
  });
  const { signal } = deadline;
  const either = signal === undefined ? returned.signal : AbortSignal.any([returned.signal, signal]);
  try {
    return await read(new Deadline(deadline.remainingMs(), either), stop);
  } catch (error) {
    const brokenOff = returned.signal.aborted && deadline.interruption() === undefined;
    throw brokenOff && error instanceof Failed && error.failure.kind === 'aborted' ? replicaReturned : error;
  } finally {
    stop();
  }
}
