import type { Doubt } from './check-history.ts';
import type { FaultRun } from './fault-run.ts';
import { type Finding, listCounts, splitDoubts, spread, violations } from './report.ts';

/** Operations in doubt, and how many of them had been executed. */
export interface DoubtCount {
  readonly all: number;
  readonly executed: number;
}

/** What several runs of one fault come to. */
export interface FaultSummary {
  readonly fault: string;
  readonly runs: number;
  /** How long the VIP had no writable server, in milliseconds, one per run that had an outage. */
  readonly vipMs: readonly number[];
  /** How much longer the client could not write; infinite where it never could again. */
  readonly addedMs: readonly number[];
  /** Failed operations by code and outcome, over all runs. */
  readonly errors: ReadonlyMap<string, number>;
  /** Writes whose outcome the client could not tell, those with `exactlyOnce` apart. */
  readonly inDoubt: DoubtCount;
  readonly inDoubtOnce: DoubtCount;
  /** COMMITs of `exactlyOnce` without an answer that the client has resolved. */
  readonly resolved: number;
  readonly duplicates: number;
  readonly acknowledged: number;
  /** Acknowledged, and missing on the surviving primary before anything was healed. */
  readonly missingBeforeHeal: number;
  /** Missing before anything was healed, or afterwards. */
  readonly lost: number;
  readonly catchUpMs: readonly number[];
  readonly misreported: number;
  readonly overDeadline: number;
  readonly failedReplicaReads: number;
  readonly hung: number;
  readonly writesOnOldPrimary: number;
  readonly crashes: number;
  /** Findings beside those above. */
  readonly others: readonly Finding[];
}

/** Sums up runs of the same fault. */
export function summarise(runs: readonly FaultRun[]): FaultSummary {
  const outages = runs.flatMap(({ outage }) => (outage === undefined ? [] : [outage]));
  const sum = (count: (run: FaultRun) => number): number =>
    runs.reduce((total, run) => total + count(run), 0);
  const doubts = runs.map(({ verdict }) => splitDoubts(verdict));
  const errors = new Map<string, number>();
  for (const { verdict } of runs) {
    for (const [name, count] of verdict.errors) errors.set(name, (errors.get(name) ?? 0) + count);
  }
  return {
    fault: runs[0]?.fault ?? '',
    runs: runs.length,
    vipMs: outages.map(({ from, to }) => to - from),
    addedMs: outages.map(({ addedMs }) => addedMs ?? Number.POSITIVE_INFINITY),
    errors,
    inDoubt: countDoubts(doubts.flatMap(([, others]) => others)),
    inDoubtOnce: countDoubts(doubts.flatMap(([once]) => once)),
    resolved: sum(({ verdict }) => verdict.resolved),
    duplicates: sum(({ verdict }) => verdict.duplicates.length),
    acknowledged: sum(({ verdict }) => verdict.acknowledgedWrites),
    missingBeforeHeal: sum(({ missingBeforeHeal }) => missingBeforeHeal),
    catchUpMs: runs.flatMap(({ catchUpMs }) => catchUpMs),
    lost: sum(({ verdict, missingBeforeHeal }) => Math.max(verdict.lost.length, missingBeforeHeal)),
    misreported: sum(({ verdict }) => verdict.misreported.length),
    overDeadline: sum(({ verdict }) => verdict.overDeadline.length),
    failedReplicaReads: sum(({ verdict }) => verdict.failedReads.length),
    hung: sum(({ hung }) => hung),
    writesOnOldPrimary: sum(({ writesOnOldPrimary }) => writesOnOldPrimary),
    crashes: sum(({ verdict }) => verdict.crashes.length),
    others: [...new Set(runs.flatMap(({ verdict }) => [...violations(verdict).keys()]))].filter(
      (name) => !columns.has(name),
    ),
  };
}

function countDoubts(doubts: readonly Doubt[]): DoubtCount {
  return { all: doubts.length, executed: doubts.filter(({ was }) => was === 'executed').length };
}

function showDoubts({ all, executed }: DoubtCount): string {
  return `${all} (${executed})`;
}

/** Findings that have a column of their own. */
const columns: ReadonlySet<Finding> = new Set([
  'lost',
  'duplicates',
  'misreported',
  'overDeadline',
  'failedReads',
  'crashes',
]);

/** The summaries as a Markdown table. */
export function renderFaultTable(summaries: readonly FaultSummary[]): string {
  const head = [
    'fault',
    'runs',
    'VIP gone',
    'added by the client',
    'in doubt (executed)',
    'exactlyOnce: resolved, in doubt (executed)',
    'twice',
    'lost',
    'misreported',
    'over deadline',
    'replica reads failed',
    'errors',
  ];
  const rows = summaries.map((summary) => [
    summary.fault,
    String(summary.runs),
    spread(summary.vipMs),
    spread(summary.addedMs),
    showDoubts(summary.inDoubt),
    `${summary.resolved}, ${showDoubts(summary.inDoubtOnce)}`,
    String(summary.duplicates),
    String(summary.lost),
    String(summary.misreported),
    String(summary.overDeadline),
    String(summary.failedReplicaReads),
    listCounts(summary.errors),
  ]);
  return markdownTable(head, rows);
}

/** The client's part of the outages of all moves of the VIP together, in words. */
export function renderMoves(moves: readonly FaultSummary[]): string {
  const addedMs = moves.flatMap((move) => move.addedMs);
  return `Added by the client over ${addedMs.length} moves of the VIP: ${spread(addedMs)}.`;
}

/** What is lost without semi-synchronous replication, as a Markdown table. */
export function renderLossTable(summaries: readonly FaultSummary[]): string {
  const head = [
    'fault',
    'runs',
    'acknowledged writes',
    'lost',
    'twice',
    'misreported',
    'added by the client',
    'of that in catchUpMs',
  ];
  const rows = summaries.map((summary) => [
    summary.fault,
    String(summary.runs),
    String(summary.acknowledged),
    String(summary.lost),
    String(summary.duplicates),
    String(summary.misreported),
    spread(summary.addedMs),
    spread(summary.catchUpMs),
  ]);
  return markdownTable(head, rows);
}

/** How long the first write of idle clients takes, as a Markdown table. */
export function renderIdleTable(summaries: readonly FaultSummary[]): string {
  const rows = summaries.map(({ fault, runs, vipMs, addedMs }) => [
    fault,
    String(runs),
    spread(vipMs),
    spread(addedMs),
  ]);
  return markdownTable(['fault', 'runs', 'VIP gone', 'first write after'], rows);
}

/** A Markdown table. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
