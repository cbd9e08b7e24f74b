import { TransactionClosedError } from '../../errors/errors.ts';
import { begin } from '../../handles/begin.ts';
import type { Call } from '../../handles/call.ts';
import { createRowStream, type RowStream } from '../../handles/row-stream.ts';
import { pumpOnAuto, runOnAuto } from '../../handles/run-on-auto.ts';
import { pumpOnPrimary } from '../../handles/run-on-primary.ts';
import { pumpOnReplica, runOnReplica } from '../../handles/run-on-replica.ts';
import { runWrite } from '../../handles/run-write.ts';
import type { Services } from '../../handles/services.ts';
import type { Transaction } from '../../handles/transaction.ts';
import type { Answer } from '../../pool/command.ts';
import type { QueryTarget } from '../query-options.ts';

/** What statements run on. */
export interface Place {
  answer(call: Call): Promise<Answer>;
  /** Throws what refuses the statement. */
  rows(call: Call): RowStream<object>;
}

const name = 'vipsql/drizzle';

const ways = {
  primary: { run: runWrite, pump: pumpOnPrimary },
  replica: { run: runOnReplica, pump: pumpOnReplica },
  auto: { run: runOnAuto, pump: pumpOnAuto },
} as const;

/** Another connection for each statement, as the handles take it. */
export function placeOn(services: Services, target: QueryTarget, timeoutMs: number | undefined): Place {
  const { run, pump } = ways[target];
  const options = { timeoutMs };
  return {
    answer: async (call) => await run(services, begin(services, name, options), call, options),
    rows: (call) => {
      const begun = begin(services, name, options);
      return createRowStream({
        call,
        timeoutMs: begun.timeoutMs,
        signal: undefined,
        run: pump(services, begun, call, options),
      });
    },
  };
}

/** A transaction, or a part of it, until that has ended: what comes later is refused. */
export class PartPlace implements Place {
  readonly #tx: Transaction;
  readonly #options: { readonly timeoutMs: number | undefined };
  #hasEnded = false;

  constructor(tx: Transaction, timeoutMs: number | undefined) {
    this.#tx = tx;
    this.#options = { timeoutMs };
  }

  async answer(call: Call): Promise<Answer> {
    this.#check();
    return await this.#tx.answerTo(call, this.#options);
  }

  rows(call: Call): RowStream<object> {
    this.#check();
    return this.#tx.rowsOf(call, this.#options);
  }

  /** Runs `work` as a part that can fail by itself. */
  savepoint<T>(work: (inner: PartPlace) => Promise<T>): Promise<T> {
    this.#check();
    return this.#tx.savepoint(() => new PartPlace(this.#tx, this.#options.timeoutMs).during(work));
  }

  /** Runs what this is the place of. */
  async during<T>(work: (part: PartPlace) => Promise<T>): Promise<T> {
    try {
      return await work(this);
    } finally {
      this.#hasEnded = true;
    }
  }

  #check(): void {
    if (!this.#hasEnded) return;
    throw new TransactionClosedError(
      'tx was used after its closure had ended; the statement was not sent. Await every statement inside the closure.',
    );
  }
}
