import type { VipsqlError } from '../errors/errors.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { isInterrupted } from '../resilience/interruption.ts';
import type { Operation } from '../resilience/outcome.ts';
import { GivenUp } from '../resilience/retries.ts';
import type { GiveUp } from '../resilience/retry.ts';
import { toError } from '../resilience/to-error.ts';
import type { Services } from './services.ts';

export interface Attempts {
  readonly role: 'primary' | 'replica';
  readonly operation: Operation;
  /** The caller's word that twice is as good as once. */
  readonly idempotent: boolean;
  /** `false`: fail after the first try. Default `true`. */
  readonly retry?: boolean;
  readonly deadline: Deadline;
}

/** What an attempt used: told in errors and events. */
export interface AttemptTrace {
  server?: string | undefined;
  epoch?: number | undefined;
  /** What failed when it was not the operation as a whole: the COMMIT of a transaction. */
  operation?: Operation | undefined;
}

/**
 * Runs an operation until it succeeds or may not be tried again, and counts it as running meanwhile.
 * `attempt` rejects with {@link Failed} for what the outcome table decides, and with anything else for what ends it.
 */
export async function withRetries<T>(
  services: Services,
  attempts: Attempts,
  attempt: (trace: AttemptTrace) => Promise<T>,
): Promise<T> {
  services.running.begin();
  try {
    services.retries.countOperation();
    for (let number = 1; ; number += 1) {
      const trace: AttemptTrace = {};
      try {
        return await attempt(trace);
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        await pauseOrThrow(services, attempts, { failure: error.failure, trace, number });
      }
    }
  } finally {
    services.running.end();
  }
}

interface FailedAttempt {
  readonly failure: Failure;
  readonly trace: AttemptTrace;
  readonly number: number;
}

/** Waits until the next attempt may begin, or throws the error that the caller sees. */
async function pauseOrThrow(services: Services, attempts: Attempts, failed: FailedAttempt): Promise<void> {
  const { failure, trace, number } = failed;
  const { deadline, role, idempotent, retry = true } = attempts;
  try {
    await services.retries.beforeNext({
      failure,
      attempt: number,
      role,
      operation: trace.operation ?? attempts.operation,
      idempotent,
      server: trace.server,
      deadline,
      mayRetry: retry,
      elsewhere: false,
    });
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
    throw giveUp(services, attempts, { ...failed, failure: error.failure }, error.why);
  }
}

function giveUp(services: Services, attempts: Attempts, failed: FailedAttempt, why: GiveUp): VipsqlError {
  const { failure, trace, number } = failed;
  const { deadline } = attempts;
  const error = toError(failure, {
    operation: trace.operation ?? attempts.operation,
    server: trace.server,
    epoch: trace.epoch,
    attempts: number,
    timeoutMs: deadline.timeoutMs,
    abortReason: isInterrupted(failure) ? deadline.signal?.reason : undefined,
    why,
  });
  if (error.code === 'VIPSQL_IN_DOUBT') {
    services.events.emit('operation:in-doubt', {
      server: trace.server,
      epoch: trace.epoch,
      message: failure.message,
    });
  }
  return error;
}
