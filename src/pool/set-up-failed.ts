import { redactText } from '../config/redact.ts';

/** What the caller's configuration does with a new session has failed; the cause says what is to be concluded from it. */
export class SetUpFailed extends Error {
  constructor(what: string, cause: unknown) {
    super(`${what} failed: ${redactText(cause instanceof Error ? cause.message : String(cause))}`, { cause });
  }
}
