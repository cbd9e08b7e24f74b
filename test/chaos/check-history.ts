import { overDeadline } from './check-deadlines.ts';
import { executedTwice, falselyDone, type Repetition } from './check-once.ts';
import { checkSums, type Drift } from './check-sums.ts';
import { Effects } from './effects.ts';
import {
  type Ending,
  type History,
  isDoneBefore,
  isInDoubt,
  isTraceable,
  isWrite,
  type Operation,
  tornRead,
} from './history.ts';
import type { ServerRows } from './tables.ts';

/** An operation in doubt, and what became of it. Counters do not tell which of their operations happened. */
export interface Doubt {
  readonly operation: Operation;
  readonly was: 'executed' | 'not-executed' | 'untraceable';
}

/** What a history and the servers' rows say about the client. What `report.ts` lists as a finding should be empty. */
export interface Verdict {
  readonly acknowledgedWrites: number;
  readonly inDoubt: readonly Doubt[];
  /** What clients said of themselves, by name. */
  readonly notices: ReadonlyMap<string, number>;
  /** Failed operations by error code and outcome. */
  readonly errors: ReadonlyMap<string, number>;
  /** Acknowledged, and not on the primary. */
  readonly lost: readonly Operation[];
  /** Executed more than once, on whatever server. */
  readonly duplicates: readonly Repetition[];
  /** COMMITs without an answer of which the client has found out what became of them. */
  readonly resolved: number;
  /** Acknowledged without doing anything, since another call with the same key had done it. */
  readonly doneBefore: number;
  /** The same where no other call with that key had. */
  readonly falselyDone: readonly Operation[];
  /** Said to have had no effect, and there. */
  readonly misreported: readonly Operation[];
  /** Transactions of which a server holds a part. */
  readonly torn: readonly { readonly id: string; readonly server: string }[];
  /** Counters and balances that no history of these operations explains. */
  readonly drifted: readonly Drift[];
  readonly overDeadline: readonly Operation[];
  /** Reads on replicas; those on the primary share the fate of its writes. */
  readonly failedReads: readonly Operation[];
  /** Reads that saw one row of a transfer without the other. */
  readonly tornReads: readonly Operation[];
  /** Rows that another server has and the primary has not, or the other way round. */
  readonly diverged: readonly { readonly id: string; readonly server: string }[];
  /** Rows that no operation has made. */
  readonly unexplained: readonly string[];
  readonly crashes: readonly string[];
}

/** What a check needs: the clients' log, and the rows after everything has been healed. */
export interface Evidence {
  readonly history: History;
  readonly primary: ServerRows;
  readonly others: readonly ServerRows[];
  /** How much later than its deadline an operation may end; default 500. */
  readonly toleranceMs?: number;
}

/** Compares what clients were told with what the servers hold. */
export function checkHistory({ history, primary, others, toleranceMs = 500 }: Evidence): Verdict {
  const { operations, stalls, notices, crashes } = history;
  const writes = operations.filter(isWrite);
  const held = new Effects(primary);
  const everywhere = [held, ...others.map((rows) => new Effects(rows))];
  const times = (id: string): number => Math.max(...everywhere.map((effects) => effects.times(id)));
  const traceable = operations.filter(isTraceable);
  return {
    acknowledgedWrites: writes.filter(({ ending }) => ending.state === 'acknowledged').length,
    inDoubt: writes.filter(isInDoubt).map((operation) => ({
      operation,
      was:
        operation.kind === 'counter' ? 'untraceable' : times(operation.id) > 0 ? 'executed' : 'not-executed',
    })),
    notices: countNames(notices.map(({ name }) => name)),
    errors: countNames(operations.flatMap(({ ending }) => nameOf(ending))),
    lost: traceable.filter((operation) => claimsEffect(operation) && held.times(operation.id) === 0),
    duplicates: executedTwice(traceable, everywhere),
    resolved: notices.filter(({ name }) => name === 'commit:resolved').length,
    doneBefore: operations.filter(isDoneBefore).length,
    falselyDone: falselyDone(operations, held, primary.keys),
    misreported: traceable.filter((operation) => deniesEffect(operation) && times(operation.id) > 0),
    torn: everywhere.flatMap((effects) => effects.torn().map((id) => ({ id, server: effects.server }))),
    drifted: checkSums(writes, primary),
    overDeadline: overDeadline(operations, stalls, toleranceMs),
    failedReads: operations.filter(
      ({ kind, ending }) => kind === 'replica-read' && ending.state === 'failed',
    ),
    tornReads: operations.filter(({ ending }) => ending.state === 'failed' && ending.code === tornRead),
    diverged: everywhere
      .slice(1)
      .flatMap((effects) => effects.differencesFrom(held).map((id) => ({ id, server: effects.server }))),
    unexplained: unexplained(everywhere, writes),
    crashes,
  };
}

/** The client has claimed that this very write took effect. */
export function claimsEffect(operation: Operation): boolean {
  return operation.ending.state === 'acknowledged' && !isDoneBefore(operation);
}

/** The client has claimed that the write had no effect. */
function deniesEffect({ ending }: Operation): boolean {
  return ending.state === 'failed' && ending.outcome !== 'unknown' && ending.outcome !== 'executed';
}

function nameOf(ending: Ending): string[] {
  if (ending.state === 'acknowledged') return [];
  return [ending.state === 'pending' ? 'no answer' : `${ending.code} (${ending.outcome})`];
}

function countNames(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function unexplained(everywhere: readonly Effects[], writes: readonly Operation[]): string[] {
  const known = new Set(writes.map(({ id }) => id));
  const strange = everywhere.flatMap((effects) => [...effects.ids()].filter((id) => !known.has(id)));
  return [...new Set(strange)];
}
