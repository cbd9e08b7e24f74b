import type { LostServer, ResolvedConfig } from '../config/types.ts';
import { LedgerStatements } from '../consistency/ledger-statements.ts';
import type { LedgerTable } from '../consistency/ledger-table.ts';
import { ExactlyOnceError } from '../errors/errors.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { Primary } from '../topology/primary.ts';
import { EpochInspection } from './epoch-inspection.ts';
import { LedgerPurge } from './ledger-purge.ts';

export interface CommitLedgerOptions {
  readonly config: ResolvedConfig;
  readonly primary: Primary;
  readonly events: ClusterEmitter;
}

/** The commit ledger of one cluster: the table in which a COMMIT without an answer can be looked up. */
export class CommitLedger {
  readonly primary: Primary;
  readonly events: ClusterEmitter;
  /** A proxy stands before the servers: connection ids are its own. */
  readonly proxied: boolean;
  readonly #config: ResolvedConfig['exactlyOnce'];
  readonly #purge: LedgerPurge;
  #statements: LedgerStatements | undefined;
  #inspection: EpochInspection | undefined;

  constructor({ config, primary, events }: CommitLedgerOptions) {
    this.primary = primary;
    this.events = events;
    this.proxied = config.primary.proxied;
    this.#config = config.exactlyOnce;
    this.#purge = new LedgerPurge(this, this.#config.retentionMs);
  }

  /** Throws {@link ExactlyOnceError} when no schema is known. */
  get table(): LedgerTable {
    const { schema, name } = this.#config.table;
    if (schema !== undefined) return { schema, name };
    throw new ExactlyOnceError(
      `exactlyOnce does not know in which schema the table ${name} is. Nothing was executed. ` +
        'Configure `database`, or exactlyOnce.table with its schema, as `shop.vipsql_commit`.',
      { problem: 'no-schema' },
    );
  }

  get statements(): LedgerStatements {
    this.#statements ??= new LedgerStatements(this.table);
    return this.#statements;
  }

  /** The caller's word that a server will bring nothing any more. */
  get isFenced(): ((server: LostServer) => boolean | Promise<boolean>) | undefined {
    return this.#config.isFenced;
  }

  /** Refuses a deadline so long that the id could be deleted while its transaction is in doubt. */
  checkPatience(timeoutMs: number): void {
    const { retentionMs } = this.#config;
    if (retentionMs === 0 || timeoutMs <= retentionMs / 2) return;
    throw new ExactlyOnceError(
      `exactlyOnce keeps ids for ${retentionMs} ms, and a transaction may last half of that, not ${timeoutMs} ms. ` +
        'Nothing was executed. Shorten timeoutMs, or raise exactlyOnce.retentionMs.',
      { problem: 'too-patient' },
    );
  }

  /** Makes sure that the ledger can be relied upon on this server: see {@link EpochInspection.require}. */
  async inspect(connection: Connection, deadline: Deadline): Promise<EpochInspection> {
    const inspection = this.#inspectionOf(connection.epoch ?? 0);
    await inspection.require(connection, deadline);
    this.#purge.start();
    return inspection;
  }

  close(): void {
    this.#purge.stop();
  }

  #inspectionOf(epoch: number): EpochInspection {
    const current = this.#inspection;
    if (epoch === current?.epoch) return current;
    const inspection = new EpochInspection(epoch, this.table);
    if (current === undefined || epoch > current.epoch) this.#inspection = inspection;
    return inspection;
  }
}
