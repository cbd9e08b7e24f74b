import { escapeId } from 'mysql2';
import type { TransactionOptions } from '../config/call-options.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline, type Interruption } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { interruptedTransaction } from '../resilience/interruption.ts';
import { runTransaction } from './run-transaction.ts';
import type { Services } from './services.ts';
import type { Transaction } from './transaction.ts';

/** Lends the connection that a transaction is to run on. */
type Lend = <T>(run: (connection: Connection) => Promise<T>) => Promise<T>;

/**
 * A transaction whose end is said from outside instead of by a closure: for adapters to libraries that have BEGIN, COMMIT
 * and ROLLBACK of their own. It is begun again as long as nobody has it, and never afterwards; at its deadline it is rolled
 * back, whoever has it.
 */
export class OpenTransaction {
  readonly tx: Transaction;
  readonly #ended: Promise<unknown>;
  readonly #commit: () => void;
  readonly #rollBack: (why: Error) => void;

  private constructor(tx: Transaction, ended: Promise<unknown>, verdict: Verdict) {
    this.tx = tx;
    this.#ended = ended;
    this.#commit = verdict.commit;
    this.#rollBack = verdict.rollBack;
  }

  /** Resolves once the transaction is open. Rejects as `db.transaction` does. */
  static begin(
    services: Services,
    options: TransactionOptions | undefined,
    lend?: Lend,
  ): Promise<OpenTransaction> {
    const deadline = new Deadline(
      options?.timeoutMs ?? services.config.transactionTimeoutMs,
      options?.signal,
    );
    return new Promise((resolve, reject) => {
      let isBegun = false;
      const ended: Promise<unknown> = runTransaction(
        services,
        (tx) =>
          new Promise<void>((commit, rollBack) => {
            isBegun = true;
            const late = (interruption: Interruption): void =>
              rollBack(new Failed(interruptedTransaction(interruption)));
            // Nobody may be left who ends it, and the connection may have gone.
            const cancel = deadline.onInterrupt(late, 0, false);
            ended.finally(cancel).catch(() => {});
            resolve(new OpenTransaction(tx, ended, { commit, rollBack }));
          }),
        options,
        // A session of its own is lost with its connection.
        {
          mayRunAgain: () => !isBegun && lend === undefined,
          ...(lend && { use: (_deadline, run) => lend(run) }),
        },
      );
      ended.catch(reject);
    });
  }

  async savepoint(name: string): Promise<void> {
    await this.tx.control(`SAVEPOINT ${escapeId(name, true)}`);
  }

  async rollBackTo(name: string): Promise<void> {
    await this.tx.control(`ROLLBACK TO SAVEPOINT ${escapeId(name, true)}`);
  }

  async release(name: string): Promise<void> {
    await this.tx.control(`RELEASE SAVEPOINT ${escapeId(name, true)}`);
  }

  /** Rejects as `db.transaction` does; if a statement has spoiled the transaction, with what that failed with. */
  async commit(): Promise<void> {
    this.#commit();
    await this.#ended;
  }

  /** Never rejects: a connection that cannot roll back is destroyed, which does it too. */
  async rollBack(): Promise<void> {
    this.#rollBack(new Error('rolled back by its owner'));
    await this.#ended.catch(() => {
      // That error, or the one that has spoiled the transaction, which was told then.
    });
  }
}

interface Verdict {
  readonly commit: () => void;
  readonly rollBack: (why: Error) => void;
}
