import type { ChaosResult, Played } from './chaos.ts';
import type { Verdict } from './check-history.ts';
import type { Operation } from './history.ts';

/** The findings that have to be empty, by what they are called. */
export function violations(verdict: Verdict): ReadonlyMap<string, readonly string[]> {
  return new Map<string, readonly string[]>([
    ['acknowledged writes lost', verdict.lost.map(describe)],
    ['executed more than once', verdict.duplicates.map(({ id, times }) => `${id}: ${times} times`)],
    ['misreported as without effect', verdict.misreported.map(describe)],
    ['torn transactions', verdict.torn.map(({ id, server }) => `${id} on ${server}`)],
    ['sums that do not add up', verdict.drifted.map((drift) => JSON.stringify(drift))],
    ['over their deadline', verdict.overDeadline.map(describe)],
    ['replica reads that failed', verdict.failedReads.map(describe)],
    ['reads of half a transaction', verdict.tornReads.map(describe)],
    ['rows that servers disagree on', verdict.diverged.map(({ id, server }) => `${id} on ${server}`)],
    ['rows that nobody wrote', verdict.unexplained],
    ['crashes', verdict.crashes],
  ]);
}

/** Whether nothing was found that has to be empty. */
export function isClean(verdict: Verdict): boolean {
  return [...violations(verdict).values()].every((found) => found.length === 0);
}

const shownPerKind = 10;

/** The result for people. */
export function renderReport({ verdict, played, operations }: ChaosResult): string {
  const doubts = new Map<string, number>();
  for (const { was } of verdict.inDoubt) doubts.set(was, (doubts.get(was) ?? 0) + 1);
  const lines = [
    `${played.length} faults, ${operations} operations, ${verdict.acknowledgedWrites} acknowledged writes`,
    `in doubt: ${verdict.inDoubt.length}${counts(doubts)}`,
    `errors: ${[...verdict.errors].map(([name, count]) => `${name} × ${count}`).join(', ') || 'none'}`,
  ];
  for (const [name, found] of violations(verdict)) {
    lines.push(`${name}: ${found.length}`, ...found.slice(0, shownPerKind).map((entry) => `  ${entry}`));
  }
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

function counts(by: ReadonlyMap<string, number>): string {
  if (by.size === 0) return '';
  return ` (${[...by].map(([name, count]) => `${count} ${name}`).join(', ')})`;
}

function describe({ id, startedAt, endedAt, ending }: Operation): string {
  const took = `${Math.round(endedAt - startedAt)} ms`;
  const said =
    ending.state === 'failed' ? `${ending.code}, ${ending.outcome}: ${ending.message}` : ending.state;
  return `${id} at ${new Date(startedAt).toISOString()} after ${took}: ${said}`;
}
