import type { Cluster, InDoubtError, MissingProof, VipsqlError } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { prepareLedger } from './prepare-ledger.ts';

/** What a client knows of its order. */
export type OrderOutcome = 'placed' | 'in-doubt' | 'not-placed';

/** What the clients were told, beside what is there. */
export interface OrderTally {
  readonly placed: number;
  readonly inDoubt: number;
  readonly notPlaced: number;
  /** Orders that are there more than once. */
  readonly twice: readonly string[];
  /** Orders that were acknowledged and are not there. */
  readonly lost: readonly string[];
  /** Orders that are there although the client was told that they are not. */
  readonly misreported: readonly string[];
}

/** Places orders exactly once, and compares what was said of them with what is there. No key stops a second row. */
export class Orders {
  readonly outcomes = new Map<string, OrderOutcome>();
  readonly missingProofs = new Map<MissingProof, number>();
  /** The messages of orders in doubt. */
  readonly reasons = new Set<string>();
  /** COMMITs whose answer did not come. */
  unanswered = 0;
  #number = 0;

  /** Creates the tables; the masters have them afterwards. */
  static async prepare(lab: Lab, db: Cluster): Promise<Orders> {
    await lab
      .owner()
      .query(
        'CREATE TABLE IF NOT EXISTS lab.orders (n INT AUTO_INCREMENT PRIMARY KEY, id VARCHAR(60) NOT NULL, KEY id (id))',
      );
    await prepareLedger(lab, db);
    const orders = new Orders();
    orders.watch(db);
    return orders;
  }

  /** Counts the COMMITs that this cluster has to look up. */
  watch(db: Cluster): void {
    db.on('commit:resolved', () => {
      this.unanswered += 1;
    });
    db.on('operation:in-doubt', () => {
      this.unanswered += 1;
    });
  }

  /** Places so many orders at once; resolves when each client knows what became of it. */
  async place(db: Cluster, count: number, { timeoutMs = 20_000, key = false } = {}): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#placeOne(db, timeoutMs, key)));
  }

  /** Asks the primary of the lab what is there. */
  async tally(lab: Lab): Promise<OrderTally> {
    const rows = await lab
      .owner()
      .query<{ id: string; copies: unknown }>('SELECT id, COUNT(*) AS copies FROM lab.orders GROUP BY id');
    const copies = new Map(rows.map(({ id, copies: count }) => [id, Number(count)]));
    const told = (outcome: OrderOutcome): string[] =>
      [...this.outcomes].filter(([, known]) => known === outcome).map(([id]) => id);
    return {
      placed: told('placed').length,
      inDoubt: told('in-doubt').length,
      notPlaced: told('not-placed').length,
      twice: [...copies].filter(([, count]) => count > 1).map(([id]) => id),
      lost: told('placed').filter((id) => !copies.has(id)),
      misreported: told('not-placed').filter((id) => copies.has(id)),
    };
  }

  async #placeOne(db: Cluster, timeoutMs: number, key: boolean): Promise<void> {
    this.#number += 1;
    const id = `order-${process.pid}-${Date.now()}-${this.#number}`;
    const exactlyOnce = key ? { key: id } : true;
    try {
      await db.transaction(
        async (tx) => {
          await tx.execute('INSERT INTO orders (id) VALUES (?)', [id]);
        },
        { exactlyOnce, timeoutMs } as { exactlyOnce: true },
      );
      this.outcomes.set(id, 'placed');
    } catch (error) {
      const { code, outcome } = error as VipsqlError;
      if (outcome !== 'unknown') {
        this.outcomes.set(id, 'not-placed');
        return;
      }
      if (code !== 'VIPSQL_IN_DOUBT') throw error;
      const { missingProof = 'deadline' } = error as InDoubtError;
      this.outcomes.set(id, 'in-doubt');
      this.reasons.add(String(error));
      this.missingProofs.set(missingProof, (this.missingProofs.get(missingProof) ?? 0) + 1);
    }
  }
}
