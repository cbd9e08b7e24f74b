import type { LabServer } from 'vipsql/testing';
import type { Ledger } from './ledger.ts';
import type { Tally } from './tally.ts';
import { seconds } from './timeline.ts';

export interface Results {
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** What the service's own retries took off the buyers. */
  readonly retriedInside: number;
  readonly server: LabServer;
  readonly database: string;
}

/** The result table, as lines. */
export async function describeResults({
  ledger,
  tally,
  retriedInside,
  server,
  database,
}: Results): Promise<string[]> {
  await server.query(`USE ${database}`);
  const [stock] = await server.query<{ soldOut: number }>(
    'SELECT COUNT(*) AS soldOut FROM stock WHERE qty = 0',
  );
  const { hadBeenDone, doneByRepeat, refused, unanswered } = tally.inDoubtResolved;
  return table([
    ['requests of the buyers', tally.requests],
    ['orders asked for', ledger.orders.size],
    ['  placed', ledger.count('placed', 'cancelling', 'cancelled')],
    ['  of these cancelled', ledger.count('cancelled')],
    ['  refused: out of stock', ledger.count('refused')],
    ['  never answered', ledger.count('unanswered')],
    ['products sold out', stock?.soldOut ?? 0],
    ['deliveries', ledger.restocks.size],
    ['retries inside the service', retriedInside],
    ['requests repeated by buyers', tally.repeats],
    ['  after 503 unavailable', tally.unavailable],
    ['  after 503 in doubt', tally.inDoubt],
    ['  after a broken connection', tally.broken],
    ['requests in doubt, resolved by the repeat', tally.inDoubt === 0 ? 0 : ''],
    ...(tally.inDoubt === 0
      ? []
      : ([
          ['  had been done', hadBeenDone],
          ['  had not been done, done now', doneByRepeat],
          ['  had not been done, refused now', refused],
          ['  never resolved', unanswered],
        ] as const)),
    ['longest wait for an answer', seconds(tally.longestWaitMs)],
  ]);
}

function table(rows: readonly (readonly [label: string, value: number | string])[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${String(value).padStart(8)}`.trimEnd());
}
