import type { Failure, FailureKind } from '../resilience/failures.ts';
import { isInterrupted } from '../resilience/interruption.ts';

/** What a failed read says about its server. */
export type Verdict =
  /** It could not be reached, or went away: counts against it, and its monitor looks at once. */
  | 'trouble'
  /** It did not answer in time: counts against it. */
  | 'late'
  /** It answered, with an error of the statement: as good as a success. */
  | 'answered'
  /** The caller left, or waited for a connection while others used them all. */
  | 'nothing';

const troubleKinds: ReadonlySet<FailureKind> = new Set([
  'lost',
  'connect',
  'access',
  'tls',
  'overloaded',
  'host-blocked',
  'offline',
  'driver',
]);

/** Judges a server by the failure of a read on it. Pure. */
export function verdictOn(failure: Failure): Verdict {
  if (isInterrupted(failure)) {
    return failure.kind === 'timeout' && failure.phase !== 'connection' ? 'late' : 'nothing';
  }
  return troubleKinds.has(failure.kind) ? 'trouble' : 'answered';
}
