import type { ChaosResult, Played } from './chaos.ts';
import type { Doubt, Verdict } from './check-history.ts';
import { isOnce, type Operation } from './history.ts';

/** Findings that have to be empty, and what they are called. */
const labels = {
  lost: 'acknowledged writes lost',
  duplicates: 'executed more than once',
  falselyDone: 'said to have been done before, and not there',
  misreported: 'misreported as without effect',
  torn: 'torn transactions',
  drifted: 'sums that do not add up',
  overDeadline: 'over their deadline',
  failedReads: 'replica reads that failed',
  tornReads: 'reads of half a transaction',
  diverged: 'rows that servers disagree on',
  unexplained: 'rows that nobody wrote',
  crashes: 'crashes',
} as const satisfies Partial<Record<keyof Verdict, string>>;

export type Finding = keyof typeof labels;

/** What was found of that which has to be empty, in words. */
export function violations(verdict: Verdict): ReadonlyMap<Finding, readonly string[]> {
  const { lost, duplicates, misreported, torn, drifted, overDeadline, failedReads, tornReads } = verdict;
  const found: Readonly<Record<Finding, readonly string[]>> = {
    lost: lost.map(describe),
    duplicates: duplicates.map(({ id, times }) => `${id}: ${times} times`),
    falselyDone: verdict.falselyDone.map(describe),
    misreported: misreported.map(describe),
    torn: torn.map(({ id, server }) => `${id} on ${server}`),
    drifted: drifted.map(({ name, is, atLeast, atMost }) => `${name} is ${is}, not ${atLeast} to ${atMost}`),
    overDeadline: overDeadline.map(describe),
    failedReads: failedReads.map(describe),
    tornReads: tornReads.map(describe),
    diverged: verdict.diverged.map(({ id, server }) => `${id} on ${server}`),
    unexplained: verdict.unexplained,
    crashes: verdict.crashes,
  };
  return new Map(
    (Object.keys(labels) as Finding[]).flatMap((name) =>
      found[name].length > 0 ? [[name, found[name]]] : [],
    ),
  );
}

/** Whether nothing was found that has to be empty. */
export function isClean(verdict: Verdict): boolean {
  return violations(verdict).size === 0;
}

const shownPerKind = 10;

/** The violations with what they are called, one line each. */
export function describeViolations(verdict: Verdict): string[] {
  return [...violations(verdict)].flatMap(([name, entries]) => [
    `${labels[name]}: ${entries.length}`,
    ...entries.slice(0, shownPerKind).map((entry) => `  ${entry}`),
  ]);
}

/** The result for people. */
export function renderReport({ verdict, played, operations }: ChaosResult): string {
  const [once, others] = splitDoubts(verdict);
  const lines = [
    `${played.length} faults, ${operations} operations, ${verdict.acknowledgedWrites} acknowledged writes`,
    `in doubt: ${listDoubts(others)}`,
    `with exactlyOnce: ${verdict.resolved} COMMITs without an answer resolved, ${verdict.doneBefore} repeats of a key done before, in doubt: ${listDoubts(once)}`,
    `errors: ${listCounts(verdict.errors)}`,
    `events: ${listCounts(verdict.notices)}`,
  ];
  const found = describeViolations(verdict);
  lines.push(...(found.length === 0 ? ['nothing lost, doubled, misreported or over its deadline'] : found));
  return [...lines, '', ...outageTable(played)].join('\n');
}

/** One line per kind of fault: how long the VIP was gone, and how much longer the client's writes were. */
function outageTable(played: readonly Played[]): string[] {
  const names = [...new Set(played.map(({ name }) => name))];
  return names.map((name) => {
    const same = played.filter((episode) => episode.name === name);
    const outages = same.flatMap((episode) => episode.outages);
    const lasted = outages.map(({ from, to }) => to - from);
    const added = outages.flatMap(({ addedMs }) => (addedMs === undefined ? [] : [addedMs]));
    return `${name} × ${same.length}: VIP gone ${spread(lasted)}; writes ${spread(added)} longer`;
  });
}

/** `median 12 ms, worst 40 ms`, or `none`. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const sorted = values.toSorted((a, b) => a - b).map(Math.round);
  return `median ${sorted[Math.floor((sorted.length - 1) / 2)]} ms, worst ${sorted.at(-1)} ms`;
}

/** `a × 2, b × 1`, or `none`. */
export function listCounts(by: ReadonlyMap<string, number>): string {
  return [...by].map(([name, count]) => `${name} × ${count}`).join(', ') || 'none';
}

/** What is in doubt although it was to be done once, and the rest. */
export function splitDoubts({ inDoubt }: Verdict): [once: Doubt[], others: Doubt[]] {
  return [
    inDoubt.filter(({ operation }) => isOnce(operation)),
    inDoubt.filter(({ operation }) => !isOnce(operation)),
  ];
}

function listDoubts(doubts: readonly Doubt[]): string {
  const by = new Map<string, number>();
  for (const { was } of doubts) by.set(was, (by.get(was) ?? 0) + 1);
  const parts = [...by].map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? '0' : `${doubts.length} (${parts.join(', ')})`;
}

function describe({ id, startedAt, endedAt, ending }: Operation): string {
  const took = `${Math.round(endedAt - startedAt)} ms`;
  const said =
    ending.state === 'failed' ? `${ending.code}, ${ending.outcome}: ${ending.message}` : ending.state;
  return `${id} at ${new Date(startedAt).toISOString()} after ${took}: ${said}`;
}
