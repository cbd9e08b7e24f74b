import { type ClosedError, QueueFullError } from '../errors/errors.ts';
import { WaitQueue } from '../pool/wait-queue.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { type InterruptedFailure, interruptedWait } from '../resilience/interruption.ts';

export interface PrimaryGateOptions {
  /** The address of the VIP, for messages. */
  readonly address: string;
  readonly maxWaiting: number;
  /** What keeps the primary from taking work; `undefined` while it takes some, and before anything is known. */
  readonly hindrance: () => Failure | undefined;
  /** Why writes wait although the primary takes work; `undefined` while they do not. */
  readonly held: () => string | undefined;
}

/** Where operations wait while the primary takes none. */
export class PrimaryGate {
  readonly #options: PrimaryGateOptions;
  readonly #queue = new WaitQueue<void>((interruption) => new Failed(this.#gaveUp(interruption)));

  constructor(options: PrimaryGateOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#queue.size;
  }

  /**
   * Resolves when it is worth another try. Rejects with {@link Failed} at the deadline or where waiting does not help,
   * and with {@link QueueFullError}.
   */
  async wait(deadline: Deadline): Promise<void> {
    const { address, maxWaiting, hindrance } = this.#options;
    if (this.size >= maxWaiting) {
      const failure = hindrance();
      if (failure !== undefined && isHopeless(failure)) throw new Failed(failure);
      const waiting =
        maxWaiting === 0 ? 'no operation may wait for it' : `${maxWaiting} operations wait for it already`;
      throw new QueueFullError(
        `No primary takes work at ${address}, and ${waiting} (failover.maxWaiting). ` +
          'The statement was not sent. Send less until the failover has ended.',
        failure === undefined ? {} : { cause: failure.cause },
      );
    }
    await this.waitForReady(deadline);
  }

  /** The same for who only wants to know: never too many. */
  async waitForReady(deadline: Deadline): Promise<void> {
    const failure = this.#options.hindrance();
    if (failure !== undefined && isHopeless(failure)) throw new Failed(failure);
    await this.#queue.wait(deadline);
  }

  /** Lets all who wait try again. */
  serveAll(): void {
    while (this.#queue.serve());
  }

  /** Turns all who wait away if that failure makes waiting useless. */
  refuseHopeless(failure: Failure): void {
    if (isHopeless(failure)) this.#queue.refuseAll(new Failed(failure));
  }

  close(error: ClosedError): void {
    this.#queue.close(error);
  }

  #gaveUp(interruption: InterruptedFailure['kind']): InterruptedFailure {
    const { held, hindrance } = this.#options;
    const heldBecause = held();
    return heldBecause === undefined
      ? interruptedWait(interruption, 'failover', hindrance()?.message ?? 'no server has answered yet')
      : interruptedWait(interruption, 'two-writers', heldBecause);
  }
}

/** Waiting does not help: the login is wrong, or the encryption is. */
export function isHopeless({ kind }: Failure): boolean {
  return kind === 'access' || kind === 'tls';
}
