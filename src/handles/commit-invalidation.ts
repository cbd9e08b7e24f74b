import { fenceOfCommit, unknownFence } from '../cache/fence.ts';
import type { PendingInvalidation } from '../cache/invalidator.ts';
import type { InvalidationTargets } from '../config/invalidation-targets.ts';
import { VipsqlError } from '../errors/errors.ts';
import type { Answer } from '../pool/command.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { cacheOf } from './cache-of.ts';
import type { Services } from './services.ts';

/** The longest that a write without a deadline is expected to take. */
const longestWriteMs = 600_000;

/** What one try of a transaction or write does to the cache: announced before the commit, ended after it. */
export class CommitInvalidation {
  readonly #services: Services;
  #source: { readonly invalidated: InvalidationTargets | undefined } | undefined;
  #pending: PendingInvalidation | undefined;
  #answer: Answer | undefined;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Where the targets are found, once it is time to commit. */
  of(source: { readonly invalidated: InvalidationTargets | undefined }): void {
    this.#source = source;
  }

  /** Before the commit. @throws {CacheInvalidationError} where that was configured. */
  async announce(deadline: Deadline): Promise<void> {
    const targets = this.#source?.invalidated;
    if (targets === undefined) return;
    const writeMs = Math.max(0, Math.min(deadline.remainingMs(), longestWriteMs));
    this.#pending = await cacheOf(this.#services).announce(targets, writeMs);
  }

  /** The commit was answered. */
  committed(answer: Answer): void {
    this.#answer = answer;
  }

  /** Runs a try that announces and commits, and ends the invalidation as the try ends, before anybody is told. */
  async endWith<T>(attempt: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await attempt();
    } catch (error) {
      await this.#failed(error);
      throw error;
    }
    await this.#complete();
    return result;
  }

  async #complete(): Promise<void> {
    const answer = this.#answer;
    await this.#pending?.committed(
      answer === undefined ? unknownFence : fenceOfCommit(answer.vendor, answer.position),
    );
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#answer !== undefined) return await this.#complete();
    const isUnknown = outcomeOf(error) === 'unknown';
    const targets = this.#source?.invalidated;
    if (this.#pending !== undefined) {
      if (isUnknown) this.#pending.inDoubt();
      else await this.#pending.rolledBack();
    } else if (isUnknown && targets !== undefined) {
      // A statement has committed the transaction by itself, so that nothing was announced. What keeps the
      // invalidation from being delivered is told by its event; the caller is told of the transaction.
      await cacheOf(this.#services)
        .invalidate(targets)
        .catch(() => {});
    }
  }
}

function outcomeOf(error: unknown): string | undefined {
  if (error instanceof Failed) return error.failure.outcome;
  return error instanceof VipsqlError ? error.outcome : undefined;
}
