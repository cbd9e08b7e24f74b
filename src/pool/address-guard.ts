import type { FailureKind } from '../resilience/failures.ts';

/**
 * Logins that were begun and not finished, per address, between two successes. A server that is frozen counts each
 * one that we give up as a connect error, and bans the host (1129) after `max_connect_errors`, 100 by default.
 */
const maxUnfinishedLogins = 20;

const firstBackoffMs = 250;
const longestBackoffMs = 5_000;

/** Asking again at once makes it worse: too many connections, and refused logins, after which servers lock the account. */
const backOffKinds: ReadonlySet<FailureKind> = new Set(['overloaded', 'host-blocked', 'access']);

/**
 * Keeps one process from hammering one address: at most 20 unfinished logins, and back-off after 1040, 1129, 1203,
 * 1226 and refused logins, in which one login at a time tries for all.
 */
export class AddressGuard {
  #unfinished = 0;
  #backoffMs = 0;
  #notBefore = 0;

  /**
   * Lets a login begin (0), tells how many milliseconds it has to wait before it may ask again, or turns it away
   * (`undefined`) while too many are unfinished. One that may begin ends with {@link succeeded} or {@link failed}.
   */
  enter(now = performance.now()): number | undefined {
    if (this.#unfinished >= maxUnfinishedLogins) return undefined;
    if (now < this.#notBefore) return this.#notBefore - now;
    this.#notBefore = now + this.#backoffMs;
    this.#unfinished += 1;
    return 0;
  }

  /** Counts a login that begins because its connection is there. */
  enterUnasked(): void {
    this.#unfinished += 1;
  }

  succeeded(): void {
    this.#unfinished -= 1;
    this.forget();
  }

  /** The login ended with an answer or a closed socket: it is no longer unfinished. */
  failed(kind: FailureKind, now = performance.now()): void {
    this.#unfinished -= 1;
    if (!backOffKinds.has(kind)) return;
    this.#backoffMs =
      this.#backoffMs === 0 ? firstBackoffMs : Math.min(longestBackoffMs, this.#backoffMs * 2);
    this.#notBefore = now + this.#backoffMs;
  }

  /** Ends the back-off: somebody else may answer at the address now. */
  forget(): void {
    this.#backoffMs = 0;
    this.#notBefore = 0;
  }
}
