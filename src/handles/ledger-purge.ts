import { createHash } from 'node:crypto';
import { quoted } from '../consistency/ledger-table.ts';
import { VipsqlError } from '../errors/errors.ts';
import { ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { describeIdentity } from '../pool/identity.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { CommitLedger } from './commit-ledger.ts';
import { ask } from './ledger-questions.ts';

const batchRows = 500;

/** Bounds one purge: what is left waits for the next one. */
const batchesPerPurge = 10;

const purgeEveryMs = 60_000;

/** Processes that start together purge one after another. */
const firstWithinMs = 5_000;

/** A purge that takes longer leaves the rest to the next one. */
const purgeTimeoutMs = 5_000;

/** Deletes rows of the commit ledger whose time is up: one process at a time, a little at a time, after user work. */
export class LedgerPurge {
  readonly #ledger: CommitLedger;
  readonly #retentionMs: number;
  readonly #life = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(ledger: CommitLedger, retentionMs: number) {
    this.#ledger = ledger;
    this.#retentionMs = retentionMs;
  }

  /** From now on; calling it again changes nothing. */
  start(): void {
    if (this.#timer !== undefined || this.#retentionMs === 0 || this.#life.signal.aborted) return;
    this.#schedule(Math.random() * firstWithinMs);
  }

  stop(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
  }

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => {
      void this.#purgeQuietly().finally(() => {
        if (!this.#life.signal.aborted) this.#schedule(purgeEveryMs * (0.9 + Math.random() * 0.2));
      });
    }, afterMs);
    this.#timer.unref();
  }

  async #purgeQuietly(): Promise<void> {
    const { primary, events, table } = this.#ledger;
    const { waiting, state } = primary.status();
    if (waiting > 0 || state !== 'open') return;
    try {
      const deadline = new Deadline(purgeTimeoutMs, this.#life.signal);
      await primary.use(deadline, (connection) => this.#purge(connection, deadline));
    } catch (error) {
      if (this.#life.signal.aborted) return;
      events.emit('ledger:purge-failed', {
        table: `${table.schema}.${table.name}`,
        message: messageOf(error),
      });
    }
  }

  async #purge(connection: Connection, deadline: Deadline): Promise<void> {
    const { table } = this.#ledger;
    const lock = `'vipsql-purge-${createHash('sha1').update(quoted(table)).digest('hex')}'`;
    const [row] = await ask(connection, `SELECT GET_LOCK(${lock}, 0) AS mine`, deadline);
    if (Number(row?.mine) !== 1) return;
    try {
      for (let batch = 0; batch < batchesPerPurge; batch += 1) {
        if ((await this.#purgeBatch(connection, deadline)) < batchRows) return;
      }
    } finally {
      if (connection.usable)
        await ask(connection, `SELECT RELEASE_LOCK(${lock})`, new Deadline(purgeTimeoutMs));
    }
  }

  async #purgeBatch(connection: Connection, deadline: Deadline): Promise<number> {
    const { statements } = this.#ledger;
    const primary = describeIdentity(connection.facts.identity);
    const rows = await ask(
      connection,
      statements.expired(this.#retentionMs, { primary, limit: batchRows }),
      deadline,
    );
    const ids = rows.map(({ id }) => id as Buffer);
    if (ids.length > 0) await connection.run(ownCommand(statements.delete(ids), 'single-write'), deadline);
    return ids.length;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Failed) return error.failure.message;
  return error instanceof VipsqlError ? error.message : String(error);
}
