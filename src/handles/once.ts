import type { KeyedTransactionOptions, TransactionOptions } from '../config/call-options.ts';
import { idOfKey, newLedgerId } from '../consistency/ledger-id.ts';
import { restoreResult, storeResult } from '../consistency/ledger-result.ts';
import type { LedgerEntry } from '../consistency/ledger-statements.ts';
import { ExactlyOnceError } from '../errors/errors.ts';
import { type Answer, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { Failure } from '../resilience/failures.ts';
import { unresolved } from '../resilience/unresolved.ts';
import { CommitInquiry } from './commit-inquiry.ts';
import type { CommitLedger } from './commit-ledger.ts';
import type { EpochInspection } from './epoch-inspection.ts';
import { askIfAllowed, type LedgerRow, readRow } from './ledger-questions.ts';

/** What a transaction with a key gives. */
export interface KeyedResult<T> {
  /** It had been done before, by whomever: the closure did not run, or what it did was rolled back. */
  readonly done: boolean;
  /** What the closure gave; when `done`, what it gave then. */
  readonly result: T;
}

/** Thrown to roll a try back that need not go on, since the transaction has been done already. */
export class DoneBefore {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Of the time that is left, this share is kept for asking what became of an unanswered COMMIT; at most {@link longestReserveMs}. */
const reserveShare = 1 / 4;
const longestReserveMs = 2_000;

/** One transaction with `exactlyOnce`, over all its tries: its id in the ledger, and what is known of it. */
export class Once {
  readonly #ledger: CommitLedger;
  readonly #deadline: Deadline;
  readonly #key: string | undefined;
  readonly #owner = newLedgerId();
  #entry: LedgerEntry;
  /** The connection and the epoch of the present try. */
  #try:
    | { readonly connection: Connection; readonly inspection: EpochInspection; readonly startedAt: number }
    | undefined;
  /** What the closure gave in the last try of which COMMIT was sent. */
  #result: unknown;
  /** A COMMIT with this id was sent and left unanswered: the id must not be changed any more. */
  #wasInDoubt = false;

  constructor(ledger: CommitLedger, deadline: Deadline, key: string | undefined) {
    this.#ledger = ledger;
    this.#deadline = deadline;
    this.#key = key;
    this.#entry = { id: key === undefined ? this.#owner : idOfKey(key), owner: this.#owner };
  }

  /** What the options ask for; `undefined` when that is nothing. */
  static of(
    ledger: CommitLedger,
    deadline: Deadline,
    options: TransactionOptions | KeyedTransactionOptions | undefined,
  ): Once | undefined {
    const { exactlyOnce = false } = options ?? {};
    if (exactlyOnce === false) return undefined;
    ledger.checkPatience(deadline.timeoutMs);
    return new Once(ledger, deadline, exactlyOnce === true ? undefined : exactlyOnce.key);
  }

  /** Before the transaction begins. Rejects with {@link ExactlyOnceError} when the promise could not be kept. */
  async prepare(connection: Connection): Promise<void> {
    const previous = this.#try?.connection;
    const startedAt = performance.now();
    const inspection = await this.#ledger.inspect(connection, this.#deadline);
    this.#try = { connection, inspection, startedAt };
    // The previous try may hang on the server with its row locked, if it could not be reached to end it.
    if (
      previous !== undefined &&
      !previous.usable &&
      previous.epoch === connection.epoch &&
      !this.#ledger.proxied
    ) {
      await askIfAllowed(connection, `KILL ${previous.id}`, this.#deadline);
    }
  }

  /** As the first statement: a key lets others wait for it, and finds out what they have done. */
  async begin(): Promise<void> {
    if (this.#key !== undefined) await this.#write();
  }

  /** As the last statement: the id, or what a repeat with the same key will be given. */
  async seal(result: unknown): Promise<void> {
    if (this.#key === undefined) await this.#write();
    else await this.#keepResult(result);
    this.#result = result;
  }

  /** Until when COMMIT may take; what is left of the deadline is for {@link settle}. */
  get commitDeadline(): Deadline {
    const remainingMs = this.#deadline.remainingMs();
    const reserveMs = Math.min(remainingMs * reserveShare, longestReserveMs);
    return new Deadline(remainingMs - reserveMs, this.#deadline.signal);
  }

  /** What the caller is given once the transaction is committed. */
  get value(): unknown {
    return this.#key === undefined ? this.#result : { done: false, result: this.#result };
  }

  /**
   * Finds out what became of a COMMIT that failed. Resolves to what the caller is given if it was committed, and rejects
   * with {@link Failed} if it was not, which the closure may run again after, or if that is not to be found out.
   */
  async settle(failure: Failure): Promise<unknown> {
    if (failure.outcome !== 'unknown' || this.#try === undefined) throw new Failed(failure);
    const { connection: victim, inspection, startedAt } = this.#try;
    const { timeoutMs } = this.#deadline;
    const began = performance.now();
    this.#wasInDoubt = true;
    const doubt = { entry: this.#entry, victim, semiSync: inspection.semiSyncAt(startedAt) };
    const finding = await new CommitInquiry(this.#ledger, doubt, this.#deadline).run();
    const lost = 'timeoutMs' in failure ? { ...failure, timeoutMs } : failure;
    if (finding.kind === 'unresolved') throw new Failed(unresolved(lost, finding.missing, finding.why));
    const value = finding.kind === 'committed' ? this.#valueOf(finding.row) : undefined;
    const isMine = finding.kind === 'committed' && finding.row.owner.equals(this.#owner);
    this.#ledger.events.emit('commit:resolved', {
      server: victim.endpointName,
      epoch: victim.epoch,
      committed: isMine,
      lastedMs: Math.round(performance.now() - began),
    });
    if (finding.kind === 'committed') return value;
    const message = `${lost.message}; the commit ledger shows that the COMMIT did not take place`;
    throw new Failed({ ...lost, message, outcome: 'rolled-back' });
  }

  /** Writes the row, or throws {@link DoneBefore} when it is there: from an earlier try, or by another owner of the key. */
  async #write(): Promise<void> {
    const { statements } = this.#ledger;
    if (this.#key === undefined && !this.#wasInDoubt) this.#renew();
    try {
      await this.#run(statements.insert(this.#entry));
      return;
    } catch (error) {
      if (!(error instanceof Failed) || error.failure.kind !== 'duplicate-key') throw error;
    }
    const { id } = this.#entry;
    // Many may wait for one key: a plain read first, for two that both try to write would end in a deadlock.
    const seen = await this.#read(statements.read(id));
    if (seen?.committed === true) throw new DoneBefore(this.#valueOf(seen));
    const { rows } = await this.#run(statements.claim(this.#entry));
    if (!Array.isArray(rows) && rows.affectedRows === 1) return;
    const row = await this.#read(statements.readLocked(id));
    if (row?.committed === true) throw new DoneBefore(this.#valueOf(row));
    throw new Failed({
      kind: 'transient',
      outcome: 'rolled-back',
      message: 'the row of the commit ledger vanished',
      cause: undefined,
      connection: 'keep',
    });
  }

  /** An id that was never part of an unanswered COMMIT is not used again: a try that hangs would keep it locked. */
  #renew(): void {
    this.#entry = { id: newLedgerId(), owner: this.#owner };
  }

  async #keepResult(result: unknown): Promise<void> {
    const stored = storeResult(result);
    if ('problem' in stored) {
      const { connection } = this.#try ?? {};
      throw new ExactlyOnceError(
        `The result of the closure cannot be kept for a repeat with the same key: it ${stored.problem}. ` +
          'The transaction was rolled back. Return plain JSON: ids rather than rows, dates and bigints as text.',
        {
          problem: 'result',
          outcome: 'rolled-back',
          server: connection?.endpointName,
          epoch: connection?.epoch,
        },
      );
    }
    if (stored.json !== undefined)
      await this.#run(this.#ledger.statements.keepResult(this.#entry.id, stored.json));
  }

  #valueOf({ owner, result }: LedgerRow): unknown {
    if (owner.equals(this.#owner)) return this.value;
    return { done: true, result: restoreResult(result) };
  }

  #run(text: string): Promise<Answer> {
    return this.#connection.run(ownCommand(text, 'single-write'), this.#deadline);
  }

  #read(question: string): Promise<LedgerRow | undefined> {
    return readRow(this.#connection, question, this.#deadline);
  }

  get #connection(): Connection {
    if (this.#try === undefined) throw new Error('vipsql: the ledger was written to before a try had begun');
    return this.#try.connection;
  }
}
