import { redactText } from '../config/redact.ts';
import type { Password } from '../config/types.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';

/**
 * The password for one login. A function is asked each time, for at most `limitMs`. Rejects with {@link Failed}, outcome
 * `not-executed`: as a refused login when the function fails, as a failed connect when it does not end in time.
 */
export async function askPassword(
  password: Password | undefined,
  { limitMs, deadline }: { readonly limitMs: number; readonly deadline: Deadline },
): Promise<string> {
  if (typeof password !== 'function') return password ?? '';
  return await new Promise((resolve, reject) => {
    const giveUp = (): void =>
      settle(() => reject(new Failed(failure('connect', `it gave no password within ${limitMs} ms`))));
    const limit = setTimeout(giveUp, limitMs);
    const cancel = deadline.onInterrupt(giveUp);
    const settle = (how: () => void): void => {
      clearTimeout(limit);
      cancel();
      how();
    };
    Promise.resolve()
      .then(password)
      .then(
        (text) => settle(() => resolve(text)),
        (error: unknown) => settle(() => reject(new Failed(failure('access', describe(error), error)))),
      );
  });
}

function failure(kind: 'access' | 'connect', what: string, cause?: unknown): Failure {
  const message = `the function that was given as password failed: ${what}`;
  return { kind, outcome: 'not-executed', message, cause, connection: 'destroy' };
}

function describe(error: unknown): string {
  return redactText(error instanceof Error ? error.message : String(error));
}
