import type { Failure } from './failures.ts';

/** How a failure travels between vipsql's own layers; the handles turn it into the error that users see. */
export class Failed {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}

/** With the statement that failed, all others of its transaction are undone. */
export function ofWholeTransaction(error: Failed): Failed {
  if (error.failure.outcome !== 'statement-rolled-back') return error;
  return new Failed({ ...error.failure, outcome: 'rolled-back' });
}
