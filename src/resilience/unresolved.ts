import type { MissingProof } from '../errors/errors.ts';
import type { Failure } from './failures.ts';

/** The failure of a COMMIT that the commit ledger was asked about in vain. */
export interface UnresolvedFailure extends Failure {
  readonly outcome: 'unknown';
  readonly missingProof: MissingProof;
  /** What was found instead of the proof; ends the sentence "it could not be resolved, because …". */
  readonly why: string;
}

/** The COMMIT of `failure` stays in doubt. */
export function unresolved(failure: Failure, missingProof: MissingProof, why: string): UnresolvedFailure {
  return { ...failure, outcome: 'unknown', missingProof, why };
}

export function isUnresolved(failure: Failure): failure is UnresolvedFailure {
  return 'missingProof' in failure;
}
