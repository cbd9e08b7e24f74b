import type { OrderRequest, Restock } from '../model.ts';

/**
 * What the service told the buyer of an order for good.
 *
 * - `placed`, `cancelled`: the order is on record, and stands or was taken back.
 * - `refused`: out of stock. It must not be on record.
 * - `unanswered`: the buyer gave up waiting; both is possible.
 */
export type Told = 'placed' | 'cancelling' | 'cancelled' | 'refused' | 'unanswered';

export interface OrderEntry {
  readonly request: OrderRequest;
  told: Told;
}

/** The buyers' own books: what they asked for and what they were told. The database is held against it. */
export class Ledger {
  readonly orders = new Map<string, OrderEntry>();
  /** Deliveries that the service has confirmed. */
  readonly restocks = new Map<string, Restock>();
  /** Answers that no request should ever get. */
  readonly unexpected: string[] = [];
  /** When orders were confirmed for the first time, by `performance.now()`. */
  readonly placedAt: number[] = [];

  /** Before the request is sent: from now on the order may exist. */
  asked(request: OrderRequest): OrderEntry {
    const entry: OrderEntry = { request, told: 'unanswered' };
    this.orders.set(request.id, entry);
    return entry;
  }

  /** One request of two with the same id may find the pieces that the other one did not: then the order exists. */
  answered(entry: OrderEntry, told: 'placed' | 'refused'): void {
    if (entry.told === 'placed') return;
    entry.told = told;
    if (told === 'placed') this.placedAt.push(performance.now());
  }

  count(...told: readonly Told[]): number {
    return [...this.orders.values()].filter((entry) => told.includes(entry.told)).length;
  }
}
