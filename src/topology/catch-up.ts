import { missingIn, missingStatement } from '../consistency/held-positions.ts';
import type { Position } from '../consistency/position.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Epoch } from './epoch.ts';
import type { PositionTracking } from './position-tracking.ts';

export interface CatchUpOptions {
  /** Longest wait; 0 opens every primary unasked. */
  readonly catchUpMs: number;
  readonly tracking: PositionTracking;
  /** Asks the server that answers at the VIP for one row; `undefined` when the line broke meanwhile. */
  readonly ask: (text: string) => Promise<Record<string, unknown> | undefined>;
}

/** A new primary may open. */
export interface CaughtUp {
  /** What it lacks although it was waited for; `undefined` when it lacks nothing, or was not asked. */
  readonly missing: string | undefined;
  readonly waitedMs: number;
}

type Answer =
  | { readonly kind: 'answered'; readonly missing: Position }
  /** The server cannot tell. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The line broke: the watch finds out who answers now. */
  | { readonly kind: 'silent' };

/** Between two questions. */
const pauseMs = 20;

/** Keeps a new primary closed until it has what this process has seen acknowledged, or the time is up. */
export class CatchUp {
  readonly #options: CatchUpOptions;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /**
   * Calls `onDone` once the primary may open: at once when there is nothing to ask for, and never after the signal has
   * fired. A question that stays unanswered is the watch's to notice, which then ends the state in which this runs.
   */
  run(epoch: Epoch, signal: AbortSignal, onDone: (result: CaughtUp) => void): void {
    const { catchUpMs, tracking } = this.#options;
    if (catchUpMs > 0 && !tracking.acknowledged.isEmpty) {
      void this.#askUntilHeld(epoch, signal, onDone);
      return;
    }
    if (catchUpMs > 0) tracking.notAsked();
    onDone({ missing: undefined, waitedMs: 0 });
  }

  async #askUntilHeld(epoch: Epoch, signal: AbortSignal, onDone: (result: CaughtUp) => void): Promise<void> {
    const { catchUpMs, tracking } = this.#options;
    const wanted = tracking.acknowledged.position(epoch.facts.vendor);
    const startedAt = performance.now();
    const untilOver = new Deadline(Number.POSITIVE_INFINITY, signal);
    for (;;) {
      const answer = await this.#ask(wanted);
      if (signal.aborted) return;
      const waitedMs = Math.round(performance.now() - startedAt);
      if (isGood(answer) || (waitedMs >= catchUpMs && answer.kind !== 'silent')) {
        onDone({ missing: this.#conclude(epoch, answer), waitedMs });
        return;
      }
      await untilOver.sleep(pauseMs);
      if (signal.aborted) return;
    }
  }

  async #ask(wanted: Position): Promise<Answer> {
    try {
      const row = await this.#options.ask(missingStatement(wanted));
      return row === undefined ? { kind: 'silent' } : { kind: 'answered', missing: missingIn(wanted, row) };
    } catch (error) {
      const message = error instanceof Failed ? error.failure.message : String(error);
      return { kind: 'refused', reason: `it does not tell what it holds: ${message}` };
    }
  }

  /** What is missing is forgotten: it is told of once, and no later primary is kept waiting for it. */
  #conclude({ server }: Epoch, answer: Answer): string | undefined {
    const { tracking } = this.#options;
    if (answer.kind === 'refused') tracking.unavailable(server, answer.reason);
    if (answer.kind !== 'answered' || answer.missing.isEmpty) return undefined;
    tracking.acknowledged.forget(answer.missing);
    return answer.missing.toString();
  }
}

function isGood(answer: Answer): boolean {
  return answer.kind === 'answered' && answer.missing.isEmpty;
}
