import { LabError } from './lab-error.ts';

/** Lets one thing happen after another: two faults at once could leave a state that neither meant. */
export class Turns {
  #last: Promise<void> = Promise.resolve();
  #ended = false;

  /** Runs the step when all before it are done, whether they failed or not. */
  take(step: () => Promise<void>): Promise<void> {
    if (this.#ended) return Promise.reject(new LabError('the lab is stopped'));
    const done = this.#last.then(step);
    this.#last = done.catch(() => {});
    return done;
  }

  /** From now on steps are refused. */
  end(): void {
    this.#ended = true;
  }
}
