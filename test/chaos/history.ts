import type { Outcome } from '../../src/errors/errors.ts';

/** What a client was asked to do. */
export type OperationKind =
  /** One INSERT of a row that carries the operation's id and is unique in nothing. */
  | 'event'
  /** One UPDATE that adds 1 to a counter. */
  | 'counter'
  /** A transaction: two rows that belong together, and two balances. */
  | 'transfer'
  /** The same with a pause in the middle, so that faults meet it half done. */
  | 'long-transfer'
  /** A transfer that the client promises to do once. */
  | 'once-transfer'
  /** The same with a key that other calls use too. */
  | 'keyed-transfer'
  | 'primary-read'
  | 'replica-read';

/** The code of a read that saw one row of a transfer without the other. */
export const tornRead = 'half a transfer';

/** How an operation ended for its caller. */
export type Ending =
  | {
      readonly state: 'acknowledged';
      readonly epoch: number | undefined;
      /** The client says that this other operation had done the transaction of the key before. */
      readonly doneBy?: string;
    }
  | {
      readonly state: 'failed';
      readonly code: string;
      /** What the client claims to know; `unknown` where it claims nothing. */
      readonly outcome: Outcome | 'executed';
      readonly message: string;
      readonly epoch: number | undefined;
    }
  /** It had neither succeeded nor failed when the workload gave up waiting for it. */
  | { readonly state: 'pending' };

/** One thing that a client was asked to do, and what its caller was told. Times are those of `nowMs()`. */
export interface Operation {
  /** Made by the caller; rows carry it. */
  readonly id: string;
  readonly kind: OperationKind;
  /** All operations with this key are to be done once between them. */
  readonly key?: string;
  /** The process that ran it. */
  readonly worker: number;
  /** The counter that it adds to, or the accounts whose balances it changes. */
  readonly touches: readonly string[];
  readonly startedAt: number;
  /** For a pending operation: when it was given up. */
  readonly endedAt: number;
  /** How long it may take; undefined where the client promises nothing. */
  readonly deadlineMs: number | undefined;
  readonly ending: Ending;
}

/** A time during which a process did not get to run its timers, so that it could not keep a deadline. */
export interface Stall {
  readonly worker: number;
  readonly from: number;
  readonly to: number;
}

/** What a client said of itself. */
export interface Notice {
  readonly worker: number;
  readonly at: number;
  readonly name: string;
  readonly detail: string;
}

/** Everything that the clients were asked and told. */
export interface History {
  readonly operations: readonly Operation[];
  readonly stalls: readonly Stall[];
  readonly notices: readonly Notice[];
  /** Exceptions that nobody caught: the client would have ended its process. */
  readonly crashes: readonly string[];
}

/** Histories of several processes as one. */
export function mergeHistories(histories: readonly History[]): History {
  return {
    operations: histories.flatMap(({ operations }) => operations),
    stalls: histories.flatMap(({ stalls }) => stalls),
    notices: histories.flatMap(({ notices }) => notices),
    crashes: histories.flatMap(({ crashes }) => crashes),
  };
}

/** Whether the operation changes rows. */
export function isWrite({ kind }: Operation): boolean {
  return kind !== 'primary-read' && kind !== 'replica-read';
}

/** Whether rows show how often the operation was executed; a counter does not tell its additions apart. */
export function isTraceable(operation: Operation): boolean {
  return isWrite(operation) && operation.kind !== 'counter';
}

/** Whether the client has promised to do it once. */
export function isOnce({ kind }: Operation): boolean {
  return kind === 'once-transfer' || kind === 'keyed-transfer';
}

/** Whether the caller was told that another call with the same key had done it. */
export function isDoneBefore({ ending }: Operation): boolean {
  return ending.state === 'acknowledged' && ending.doneBy !== undefined;
}

/** Whether the caller was left without knowing what became of its write. */
export function isInDoubt(operation: Operation): boolean {
  const { ending } = operation;
  if (!isWrite(operation) || ending.state === 'acknowledged') return false;
  return ending.state === 'pending' || ending.outcome === 'unknown';
}
