import type { Deadline, Interruption } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { interruptedStatement } from '../resilience/interruption.ts';
import type { Alarm } from './alarm.ts';
import type { Answer, Command, RawFields, RawRows } from './command.ts';

/** mysql2's commands know whether they have been started, which is when they write to the socket. */
export interface RawCommand {
  readonly next: unknown;
}

export type OnAnswer = (error: Error | null, rows: RawRows, fields: RawFields) => void;

/** What a running statement needs of its connection. */
export interface StatementHost {
  /** For the one statement that runs. */
  readonly alarm: Alarm;
  /** Orders the server to stop the statement; `undefined` where that is not possible. */
  readonly kill: (() => Promise<void>) | undefined;
  send(command: Command, onAnswer: OnAnswer): RawCommand;
  /** Takes note of an answer that was no error, and decodes its rows. */
  accept(command: Command, rows: RawRows, fields: RawFields): Answer;
  classify(error: Error, command: Command, sent: boolean, killedByUs: boolean): Failure;
  closed(): Failure;
  /** Finds out within `limitMs` whether somebody killed a statement, or the server shuts down and ends the session. */
  explainKill(failure: Failure, limitMs: number, onExplained: (failure: Failure) => void): void;
  /** The connection is free again. */
  finished(): void;
  destroy(failure?: Failure): void;
}

/** The longest that a statement waits for the answer to its `KILL QUERY`. */
const longestKillWaitMs = 500;

/** One statement on its way: settles once, whether the server answers, the time runs out, or the line breaks. */
export class RunningStatement {
  readonly #host: StatementHost;
  readonly #command: Command;
  readonly #deadline: Deadline;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #cancelWait: (() => void) | undefined;
  #raw: RawCommand | undefined;
  #interruption: Interruption | undefined;
  #killLimit: NodeJS.Timeout | undefined;
  #settled = false;

  constructor(
    host: StatementHost,
    command: Command,
    run: {
      readonly deadline: Deadline;
      readonly resolve: (answer: Answer) => void;
      readonly reject: (error: unknown) => void;
    },
  ) {
    const { deadline } = run;
    this.#host = host;
    this.#command = command;
    this.#deadline = deadline;
    this.#resolve = run.resolve;
    this.#reject = run.reject;
    const killWaitMs = host.kill === undefined ? 0 : Math.min(longestKillWaitMs, deadline.timeoutMs / 5);
    if (deadline.signal !== undefined) {
      this.#cancelWait = deadline.onInterrupt((cause) => this.#interrupt(cause, killWaitMs), killWaitMs);
    } else if (deadline.endsAt < Number.POSITIVE_INFINITY) {
      host.alarm.set(deadline.endsAt - killWaitMs, () => this.#interrupt('timeout', killWaitMs));
    }
  }

  /** Sends the statement. In a step of its own, because mysql2 answers at once on a connection that is closed. */
  start(): void {
    this.#raw = this.#host.send(this.#command, (error, rows, fields) => this.#answered(error, rows, fields));
  }

  /** Ends the wait for an answer that will not come. */
  giveUp(failure: Failure): void {
    if (!this.#settled) this.#fail(this.#wasSent ? failure : { ...failure, outcome: 'not-executed' });
  }

  get #wasSent(): boolean {
    return this.#raw !== undefined && this.#raw.next !== null;
  }

  #answered(error: Error | null, rows: RawRows, fields: RawFields): void {
    if (this.#settled) return;
    const interruption = this.#interruption;
    if (error !== null) {
      const failure = this.#host.classify(error, this.#command, this.#wasSent, interruption !== undefined);
      if (interruption !== undefined) {
        this.#fail(interruptedStatement(interruption, failure, this.#deadline.timeoutMs));
      } else if (failure.kind === 'killed') {
        this.#settle();
        const limitMs = Math.min(longestKillWaitMs, Math.max(0, this.#deadline.remainingMs()));
        this.#host.explainKill(failure, limitMs, (explained) => this.#reject(new Failed(explained)));
      } else {
        this.#fail(failure);
      }
      return;
    }
    if (interruption !== undefined) {
      const failure = interruptedStatement(interruption, this.#host.closed(), this.#deadline.timeoutMs);
      // MySQL gives a row for a SLEEP that was killed: what a read says now is not what it would have said.
      if (this.#command.statement === 'read') {
        this.#fail({ ...failure, outcome: 'not-executed' });
        return;
      }
      // The KILL may still be on its way, and would hit the next statement.
      this.#settle();
      this.#host.destroy(failure);
    } else {
      this.#settle();
    }
    try {
      this.#resolve(this.#host.accept(this.#command, rows, fields));
    } catch (error) {
      this.#reject(error); // a row is not what was asked for; thrown into mysql2 it would end the process
    }
  }

  #interrupt(cause: Interruption, killWaitMs: number): void {
    const { kill, closed } = this.#host;
    this.#interruption = cause;
    const stop = (): void => this.giveUp(interruptedStatement(cause, closed(), this.#deadline.timeoutMs));
    if (kill === undefined) {
      stop();
      return;
    }
    this.#killLimit = setTimeout(stop, killWaitMs);
    kill().catch(() => {
      // The answer, or the limit, tells what became of the statement; that the order did not get through tells nothing.
    });
  }

  #fail(failure: Failure): void {
    this.#settle();
    if (failure.connection === 'destroy') this.#host.destroy();
    this.#reject(new Failed(failure));
  }

  #settle(): void {
    this.#settled = true;
    clearTimeout(this.#killLimit);
    this.#cancelWait?.();
    this.#host.alarm.clear();
    this.#host.finished();
  }
}
