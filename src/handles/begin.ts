import { type CallOptions, checkCallOptions } from '../config/call-options.ts';
import { AbortedError } from '../errors/errors.ts';
import { Deadline } from '../resilience/deadline.ts';
import type { Services } from './services.ts';

/** The clock of one operation. */
export interface Begun {
  readonly timeoutMs: number;
  readonly deadline: Deadline;
}

/** Checks where the call stands, and starts its clock. */
export function begin(services: Services, handle: string, options: CallOptions | undefined): Begun {
  if (options?.insideTransaction !== true) services.scope.refuse(handle);
  const timeoutMs = options?.timeoutMs ?? services.config.timeoutMs;
  return { timeoutMs, deadline: startDeadline(timeoutMs, options?.signal) };
}

/** Starts the clock of an operation. Throws {@link AbortedError} when its signal has fired already. */
export function startDeadline(timeoutMs: number, signal: AbortSignal | undefined): Deadline {
  if (signal?.aborted === true) {
    throw new AbortedError('The operation was aborted by its signal before it began. Nothing was executed.', {
      cause: signal.reason,
    });
  }
  return new Deadline(timeoutMs, signal);
}

/** Checks the options of a call; they win over the handle's. */
export function mergeOptions<Options extends CallOptions>(
  defaults: Options | undefined,
  given: Options | undefined,
  check: (options: Options | undefined) => void = checkCallOptions,
): Options | undefined {
  if (given === undefined) return defaults;
  check(given);
  return defaults === undefined ? given : { ...defaults, ...given };
}
