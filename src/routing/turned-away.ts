import type { Failure, FailureKind } from '../resilience/failures.ts';

/** Nothing was sent where a connection was not to be had, or the pool was discarded while the read waited for one. */
const unreachableKinds: ReadonlySet<FailureKind> = new Set([
  'connect',
  'lost',
  'overloaded',
  'host-blocked',
  'offline',
  'access',
  'tls',
]);

/** Whether a read did not get as far as being sent, so that another server may take it. Pure. */
export function wasTurnedAway({ outcome, kind }: Failure): boolean {
  return outcome === 'not-executed' && unreachableKinds.has(kind);
}
