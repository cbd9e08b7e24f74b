import type { Failure } from './failures.ts';

/** How a failure travels between vipsql's own layers; the handles turn it into the error that users see. */
export class Failed {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}
