import { ClosedError, VipsqlError } from '../errors/errors.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { isInterrupted } from '../resilience/interruption.ts';
import { isInDoubt, type Operation } from '../resilience/outcome.ts';
import { GivenUp } from '../resilience/retries.ts';
import type { GiveUp } from '../resilience/retry.ts';
import { type GiveUpFacts, toError } from '../resilience/to-error.ts';
import type { Services } from './services.ts';

export interface Attempts {
  readonly role: 'primary' | 'replica';
  readonly operation: Operation;
  /** The caller's word that twice is as good as once. */
  readonly idempotent: boolean;
  /** Whether it may be tried again after what has just failed. Default: always. */
  readonly mayRetry?: () => boolean;
  readonly deadline: Deadline;
}

const always = (): boolean => true;

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
    let last: FailedAttempt | undefined;
    for (let number = 1; ; number += 1) {
      const trace: AttemptTrace = {};
      try {
        return await attempt(trace);
      } catch (error) {
        if (!(error instanceof Failed)) throw endedBy(services, attempts, error, last);
        const { failure } = error;
        const operation = trace.operation ?? attempts.operation;
        const isDoubtful = isInDoubt(failure.outcome, failure.kind, operation);
        last = { failure, trace, operation, number, doubt: last?.doubt };
        await pauseOrThrow(services, attempts, last);
        if (isDoubtful) last = { ...last, doubt: last };
      }
    }
  } finally {
    services.running.end();
  }
}

interface FailedAttempt {
  readonly failure: Failure;
  readonly trace: AttemptTrace;
  readonly operation: Operation;
  readonly number: number;
  /** An earlier one that may have taken effect: whatever came after it proves nothing about that. */
  readonly doubt: FailedAttempt | undefined;
}

/** Waits until the next attempt may begin, or throws the error that the caller sees. */
async function pauseOrThrow(services: Services, attempts: Attempts, failed: FailedAttempt): Promise<void> {
  const { failure, trace, operation, number } = failed;
  const { deadline, role, idempotent, mayRetry = always } = attempts;
  try {
    await services.retries.beforeNext({
      failure,
      attempt: number,
      role,
      operation,
      idempotent,
      server: trace.server,
      deadline,
      mayRetry: mayRetry(),
      elsewhere: false,
    });
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
    throw giveUp(services, attempts, { ...failed, failure: error.failure }, error.why);
  }
}

function giveUp(services: Services, attempts: Attempts, failed: FailedAttempt, why: GiveUp): VipsqlError {
  const { failure, operation, number, doubt } = failed;
  const error = errorOf(attempts, failed, { why });
  if (isInDoubt(failure.outcome, failure.kind, operation)) tellDoubt(services, failed);
  else if (doubt !== undefined) return inDoubt(services, attempts, { ...doubt, number }, error);
  return error;
}

/** What ended an operation is no failure of a try; `last` is the try before, if there was one. */
function endedBy(
  services: Services,
  attempts: Attempts,
  error: unknown,
  last: FailedAttempt | undefined,
): unknown {
  if (last === undefined || !(error instanceof VipsqlError)) return error;
  const { doubt, number } = last;
  if (doubt !== undefined) return inDoubt(services, attempts, { ...doubt, number: number + 1 }, error);
  if (!(error instanceof ClosedError)) return error;
  const cause = errorOf(attempts, last);
  const { outcome, server, epoch } = cause;
  return new ClosedError('The cluster was closed while the operation was under way.', {
    outcome,
    server,
    epoch,
    attempts: number,
    cause,
  });
}

function inDoubt(
  services: Services,
  attempts: Attempts,
  doubt: FailedAttempt,
  later: VipsqlError,
): VipsqlError {
  tellDoubt(services, doubt);
  return errorOf(attempts, doubt, { later });
}

function errorOf(
  { deadline, idempotent, mayRetry = always }: Attempts,
  { failure, trace, operation, number }: FailedAttempt,
  more?: Pick<GiveUpFacts, 'why' | 'later'>,
): VipsqlError {
  return toError(failure, {
    operation,
    server: trace.server,
    epoch: trace.epoch,
    attempts: number,
    timeoutMs: deadline.timeoutMs,
    abortReason: isInterrupted(failure) ? deadline.signal?.reason : undefined,
    couldBeRepeated: mayRetry() && !idempotent,
    ...more,
  });
}

function tellDoubt(
  { events }: Services,
  { trace: { server, epoch }, failure: { message } }: FailedAttempt,
): void {
  events.emit('operation:in-doubt', { server, epoch, message });
}
