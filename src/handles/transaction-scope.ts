import { AsyncLocalStorage } from 'node:async_hooks';
import { OutsideTransactionError } from '../errors/errors.ts';

interface Scope {
  open: boolean;
}

/** Knows whether the running code stands inside a transaction closure of this cluster. */
export class TransactionScope {
  readonly #storage = new AsyncLocalStorage<Scope>();
  #used = false;

  /** Runs a transaction closure; whatever it starts and leaves running counts as inside only until it settles. */
  async run<T>(closure: () => Promise<T>): Promise<T> {
    this.#used = true;
    const scope: Scope = { open: true };
    try {
      return await this.#storage.run(scope, closure);
    } finally {
      scope.open = false;
    }
  }

  /** Refuses a handle where `tx` is meant: it would run on another connection, outside the transaction. */
  refuse(handle: string): void {
    if (!this.#used || this.#storage.getStore()?.open !== true) return;
    throw new OutsideTransactionError(
      `${handle} was used inside a transaction closure: it runs on another connection and takes no part in the ` +
        'transaction. The statement was not sent. Use tx instead, or pass { insideTransaction: true } if that is meant.',
    );
  }
}
