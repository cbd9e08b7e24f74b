import type { Position } from '../consistency/position.ts';
import {
  positionStatement,
  readServerPosition,
  type ServerPosition,
  waitStatement,
} from '../consistency/server-position.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Vendor } from '../resilience/failures.ts';

type Row = Readonly<Record<string, unknown>>;

export interface ServerPositionsOptions {
  readonly vendor: Vendor;
  readonly version: string;
  readonly serverId: number;
  /**
   * Runs a statement on this server in this life; gives the first row, or `undefined` when that is not to be had now.
   * `limitMs`: when an answer is late.
   */
  readonly ask: (text: string, limitMs: number) => Promise<Row | undefined>;
  /** It is the primary: not asked to wait, and what it has logged counts as applied. */
  readonly isPrimary: boolean;
}

/** Somebody who wants to know. */
interface Question {
  /** The server must have been asked at this time or later. */
  readonly at: number;
  /** What the server is to have; `undefined` to hear what it says. */
  readonly wanted: Position | undefined;
  readonly answer: (arrived: boolean) => void;
}

/** The longest wait on the server: others may have come meanwhile who want less. */
const sliceMs = 50;

/** Between two questions that brought nothing new. */
const pauseMs = 10;

/** Between two questions that were not answered. */
const failurePauseMs = 100;

/** Beyond its own wait, an answer is late after this. */
const lateMs = 1_000;

/**
 * What one server in one life is known to have. All who want to know more share one statement at a time: a server is
 * asked as often for a thousand readers as for one.
 */
export class ServerPositions {
  readonly #options: ServerPositionsOptions;
  readonly #questions = new Set<Question>();
  readonly #life = new AbortController();
  #known: ServerPosition | undefined;
  /** When the question was asked to which `#known` is the answer. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #lastText = '';
  #asking = false;
  /** Questions answered so far. */
  #served = 0;

  constructor(options: ServerPositionsOptions) {
    this.#options = options;
  }

  /** What was heard last; `undefined` while nothing was, or where it does not tell. */
  get known(): ServerPosition | undefined {
    return this.#known;
  }

  /** Takes in an answer to the statement of `consistency/server-position.ts` that was asked at `askedAt`. */
  learn(answer: Row, askedAt: number): void {
    if (this.#life.signal.aborted) return;
    this.#askedAt = Math.max(askedAt, this.#askedAt);
    const { vendor, serverId, isPrimary } = this.#options;
    const { waited: _, ...position } = answer;
    const text = Object.values(position).join(';');
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#note(
        readServerPosition(vendor, isPrimary ? { ...position, mayHoldBack: 0 } : position, serverId),
      );
    }
    this.#serve();
  }

  /** Whether it is known to have all of it, without asking. */
  holds(wanted: Position): boolean {
    return wanted.vendor === this.#options.vendor && this.#known?.applied.contains(wanted) === true;
  }

  /** What reads on it have seen at most, if it has been asked at `at` or later. */
  atMostSince(at: number): Position | undefined {
    return this.#askedAt >= at ? this.#known?.atMost : undefined;
  }

  /**
   * The same, and asks if need be; calls made before the question goes out share it. `undefined` when the server does
   * not tell, or not in time.
   */
  async since(at: number, deadline: Deadline): Promise<Position | undefined> {
    if (this.#askedAt < at) await this.#wait(at, undefined, deadline);
    return this.atMostSince(at);
  }

  /** Resolves to whether it has all of it, as soon as it has, at the latest at the deadline. */
  async reach(wanted: Position, deadline: Deadline): Promise<boolean> {
    if (this.holds(wanted)) return true;
    if (wanted.vendor !== this.#options.vendor) return false;
    return await this.#wait(performance.now(), wanted, deadline);
  }

  /** Answers everybody that nothing is known. */
  close(): void {
    this.#life.abort();
    this.#giveUp();
  }

  #wait(at: number, wanted: Position | undefined, deadline: Deadline): Promise<boolean> {
    if (this.#life.signal.aborted || deadline.interruption() !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const question: Question = {
        at,
        wanted,
        answer: (arrived) => {
          cancel();
          this.#questions.delete(question);
          this.#served += 1;
          resolve(arrived);
        },
      };
      const cancel = deadline.onInterrupt(() => question.answer(false));
      this.#questions.add(question);
      if (!this.#asking) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    // Those who ask in the same turn share the first statement.
    await Promise.resolve();
    while (this.#questions.size > 0) {
      const before = this.#served;
      const startedAt = performance.now();
      const wasAnswered = await this.#askOnce();
      if (!wasAnswered) await this.#pause(failurePauseMs);
      else if (this.#served === before && performance.now() - startedAt < pauseMs) {
        await this.#pause(pauseMs);
      }
    }
    this.#asking = false;
  }

  /** Returns whether there was an answer. */
  async #askOnce(): Promise<boolean> {
    const { vendor, version, isPrimary, ask } = this.#options;
    const wanted = isPrimary ? undefined : this.#leastWanted();
    const askedAt = performance.now();
    try {
      const answer =
        wanted === undefined
          ? await ask(positionStatement(vendor), lateMs)
          : await ask(waitStatement(wanted, sliceMs, version), sliceMs + lateMs);
      if (answer !== undefined) this.learn(answer, askedAt);
      return answer !== undefined;
    } catch (error) {
      // Who waits goes elsewhere at the deadline: that the server is in trouble is the monitor's to notice.
      if (error instanceof Failed && error.failure.kind === 'sql') this.#giveUp();
      return false;
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Deadline(Number.POSITIVE_INFINITY, this.#life.signal).sleep(ms);
  }

  /** What to wait for on the server: nothing when somebody wants to hear at once, else what is there first. */
  #leastWanted(): Position | undefined {
    let least: Position | undefined;
    for (const { wanted } of this.#questions) {
      if (wanted === undefined) return undefined;
      if (least === undefined || least.contains(wanted)) least = wanted;
    }
    // What is there already may never arrive by itself: a server does not replicate what it has written.
    return this.#known === undefined ? least : least?.subtract(this.#known.applied);
  }

  /** A server does not go back within one life, and answers may overtake each other. */
  #note(said: ServerPosition | undefined): void {
    const known = this.#known;
    this.#known =
      said === undefined || known === undefined
        ? said
        : { applied: known.applied.union(said.applied), atMost: known.atMost.union(said.atMost) };
  }

  #serve(): void {
    for (const question of this.#questions) {
      const { wanted, at } = question;
      if (wanted === undefined ? this.#askedAt >= at : this.holds(wanted)) question.answer(true);
    }
    if (this.#known === undefined) this.#giveUp();
  }

  #giveUp(): void {
    for (const question of this.#questions) question.answer(false);
  }
}
