import type { LedgerTable } from '../consistency/ledger-table.ts';
import type { SemiSync } from '../consistency/semi-sync.ts';
import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { askSemiSync, askVariables, requireStrictApplier, requireTable } from './ledger-questions.ts';

/** A server is asked again after this long. */
const inspectEveryMs = 5_000;

/** What the primary of one epoch has told that the commit ledger depends on. */
export class EpochInspection {
  readonly epoch: number;
  readonly #table: LedgerTable;
  /** By `performance.now()`: when the answer was asked for. */
  #latest: { readonly at: number; readonly semiSync: SemiSync } | undefined;
  #underWay = false;

  constructor(epoch: number, table: LedgerTable) {
    this.epoch = epoch;
    this.#table = table;
  }

  /**
   * Makes sure that the server can be relied upon: at the first use, and again every five seconds by one transaction
   * while the others go on. Rejects with {@link ExactlyOnceError} if it cannot, with `Failed` when it does not answer.
   */
  async require(connection: Connection, deadline: Deadline): Promise<void> {
    const latest = this.#latest;
    if (latest !== undefined && (this.#underWay || performance.now() - latest.at < inspectEveryMs)) return;
    this.#underWay = true;
    try {
      const at = performance.now();
      if (latest === undefined) await requireTable(connection, this.#table, deadline);
      const variables = await askVariables(connection, deadline);
      requireStrictApplier(connection, variables);
      this.#latest = { at, semiSync: await askSemiSync(connection, variables, deadline) };
    } catch (error) {
      this.#latest = undefined;
      throw error;
    } finally {
      this.#underWay = false;
    }
  }

  /** How commits that began at `begunAt` waited for other servers, if that was read shortly before or afterwards. */
  semiSyncAt(begunAt: number): SemiSync | undefined {
    const latest = this.#latest;
    return latest !== undefined && latest.at >= begunAt - 2 * inspectEveryMs ? latest.semiSync : undefined;
  }
}
