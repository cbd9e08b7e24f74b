import type { ClusterEmitter } from '../observe/emitter.ts';
import { fullJitter } from './backoff.ts';
import type { RetryBudget } from './budget.ts';
import type { Deadline } from './deadline.ts';
import type { Failure } from './failures.ts';
import { interruptedWait } from './interruption.ts';
import type { Operation } from './outcome.ts';
import { decideRetry, type GiveUp } from './retry.ts';

/** A try that has failed. */
export interface FailedTry {
  readonly failure: Failure;
  /** Which try it was, from 1. */
  readonly attempt: number;
  readonly role: 'primary' | 'replica';
  readonly operation: Operation;
  readonly idempotent: boolean;
  readonly server: string | undefined;
  readonly deadline: Deadline;
  /** `false`: fail after the first try. */
  readonly mayRetry: boolean;
  /** Another server can be asked, which needs no pause. */
  readonly elsewhere: boolean;
}

/** Thrown when there is to be no further try. */
export class GivenUp {
  readonly failure: Failure;
  readonly why: GiveUp;

  constructor(failure: Failure, why: GiveUp) {
    this.failure = failure;
    this.why = why;
  }
}

export interface RetriesOptions {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly budget: RetryBudget;
  readonly events: ClusterEmitter;
}

/** Lets failed operations of one cluster try again, as often and as soon as the outcome table and the budget allow. */
export class Retries {
  readonly #options: RetriesOptions;

  constructor(options: RetriesOptions) {
    this.#options = options;
  }

  /** Counts an operation, which pays into the budget. */
  countOperation(): void {
    this.#options.budget.deposit();
  }

  /** Resolves when the next try may begin. Rejects with {@link GivenUp} when there is to be none. */
  async beforeNext(failed: FailedTry): Promise<void> {
    const { attempts, backoffMs, budget, events } = this.#options;
    const { failure, attempt, role, operation, idempotent, server, deadline, mayRetry, elsewhere } = failed;
    const { outcome, kind, message } = failure;
    const decision = decideRetry({
      outcome,
      kind,
      operation,
      role,
      idempotent,
      attempt,
      attempts: mayRetry ? attempts : 1,
      remainingMs: deadline.remainingMs(),
      backoffMs,
      budgetAvailable: budget.available,
    });
    if (decision.action === 'fail') throw new GivenUp(failure, decision.why);
    budget.take();
    events.emit('operation:retry', { role, server, attempt, outcome, message });
    if (elsewhere) return;
    const interruption = await deadline.sleep(fullJitter(decision.maxDelayMs));
    if (interruption === undefined) return;
    throw new GivenUp({ ...interruptedWait(interruption, 'retry', message), outcome }, 'deadline');
  }
}
