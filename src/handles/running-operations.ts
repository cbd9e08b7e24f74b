import { ClosedError } from '../errors/errors.ts';

/** Counts what runs, so that closing can turn away new work and wait for the rest. */
export class RunningOperations {
  #count = 0;
  #closing = false;
  #onIdle: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  /** Throws {@link ClosedError} once closing has begun. Each call is matched by one of {@link end}, as one of {@link hold} is. */
  begin(): void {
    if (this.#closing) throw new ClosedError('The cluster is closed or closing; the statement was not sent.');
    this.#count += 1;
  }

  /** Counts what has begun already, and is let end also while closing. */
  hold(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  }

  /** Turns away new operations; resolves when the last one has ended. */
  async finish(): Promise<void> {
    this.#closing = true;
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
