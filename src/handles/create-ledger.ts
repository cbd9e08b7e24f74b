import { type CallOptions, checkWaitOptions } from '../config/call-options.ts';
import { ledgerDdl } from '../consistency/ledger-table.ts';
import { ownCommand } from '../pool/command.ts';
import { Deadline } from '../resilience/deadline.ts';
import { begin } from './begin.ts';
import { requireTable } from './ledger-questions.ts';
import type { Services } from './services.ts';
import { withRetries } from './with-retries.ts';

/** Creates the commit ledger unless it is there, and checks it. May be called by many processes at once. */
export async function createLedger(services: Services, options: CallOptions | undefined): Promise<void> {
  if (options !== undefined) checkWaitOptions(options);
  const { primary, ledger } = services;
  const { table } = ledger;
  const { deadline } = begin(services, 'db.createLedger()', options);
  // Like all DDL without a limit of its own, it may wait for other transactions on the table.
  const answerBy =
    options?.timeoutMs === undefined ? new Deadline(Number.POSITIVE_INFINITY, options?.signal) : deadline;
  await withRetries(services, { role: 'primary', operation: 'other', idempotent: true, deadline }, (trace) =>
    primary.use(deadline, async (connection) => {
      trace.server = connection.endpointName;
      trace.epoch = connection.epoch;
      await connection.run(ownCommand(ledgerDdl(table), 'other'), answerBy);
      await requireTable(connection, table, deadline);
    }),
  );
}
