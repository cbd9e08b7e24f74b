import type { ClientName } from './clients/clients.ts';
import type { FaultSummary } from './fault-table.ts';
import { markdownTable } from './fault-table.ts';

/** How long after the new owner of the VIP answers a client is given to write there. */
export const peerPatienceMs = 10_000;

/** What one client made of one fault. */
export interface PeerResult {
  readonly client: ClientName;
  readonly summary: FaultSummary;
}

/** Clients side by side: a row for each client, a column for each fault. */
export function renderPeerTable(results: readonly PeerResult[]): string {
  const clients = [...new Set(results.map(({ client }) => client))];
  const faults = [...new Set(results.map(({ summary }) => summary.fault))];
  const rows = clients.map((client) => [
    client,
    ...faults.map((fault) => {
      const found = results.find((result) => result.client === client && result.summary.fault === fault);
      return found === undefined ? 'not measured' : cell(found.summary);
    }),
  ]);
  return markdownTable(['client', ...faults], rows);
}

function cell(summary: FaultSummary): string {
  const errors = [...summary.errors.values()].reduce((sum, count) => sum + count, 0);
  const notes = [
    [summary.writesOnOldPrimary, 'writes on the old primary'],
    [summary.duplicates, 'executed twice'],
    [summary.lost, 'lost'],
    [summary.crashes, 'uncaught exceptions'],
  ] as const;
  const remarkable = notes.filter(([count]) => count > 0).map(([count, what]) => `**${count} ${what}**`);
  return [`${showAdded(summary.addedMs)} [${errors} / ${summary.hung}]`, ...remarkable].join('<br>');
}

/** How long clients took, where one that took longer than it is watched has no figure. */
function showAdded(addedMs: readonly number[]): string {
  const sorted = addedMs.toSorted((a, b) => a - b);
  const show = (value: number): string =>
    value > peerPatienceMs ? `none within ${peerPatienceMs / 1_000} s` : `${Math.round(value)} ms`;
  const [median, worst] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  if (median === undefined || worst === undefined) return 'no outage seen';
  return sorted.length === 1 ? show(worst) : `median ${show(median)}, worst ${show(worst)}`;
}
