import {
  type CacheStore,
  type CompleteOrder,
  type Era,
  type FillOrder,
  type MarkOrder,
  type Opened,
  type OpenOrder,
  RecordAway,
  type ReleaseOrder,
  type SeenRecord,
  type SettleOrder,
} from '../store.ts';
import type { RedisNodes } from './redis-nodes.ts';
import { slotOf } from './redis-slots.ts';
import type { RedisStore } from './redis-store.ts';

/** The cluster as a whole lives for ever: each record is of the life of the master that has it. */
const clusterLife = 'cluster';

/**
 * Keeps records in the masters of a Redis Cluster, each in one: nothing here needs two records in one step. In Redis a
 * record has the era of its master. One that has come from another master, by promotion or since its slot was moved, is
 * of another era, and says nothing.
 */
export class RedisClusterStore implements CacheStore {
  readonly #nodes: RedisNodes;
  readonly #keyPrefix: string;

  constructor(nodes: RedisNodes, keyPrefix: string) {
    this.#nodes = nodes;
    this.#keyPrefix = keyPrefix;
  }

  get life(): string | undefined {
    return this.#nodes.isUp ? clusterLife : undefined;
  }

  /** This process's: the times of records are converted. */
  now(): number {
    return performance.now();
  }

  async get(era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    return await Promise.all(
      names.map((name) =>
        this.#on(name, era, async (store, ownEra) => {
          const record = await store.getAlone(ownEra, name);
          return record && seenFrom(record, store);
        }),
      ),
    );
  }

  async open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]> {
    const opened = await this.#each(era, orders, (store, ownEra, order) => store.open(ownEra, [order]));
    return opened.flat();
  }

  async fill(era: Era, order: FillOrder, tags: readonly SettleOrder[]): Promise<boolean> {
    const [[isFilled = false]] = await Promise.all([
      this.#each(era, [order], (store, ownEra) => store.fill(ownEra, order, [])),
      this.#each(era, tags, (store, ownEra, tag) => store.settle(ownEra, tag)),
    ]);
    return isFilled;
  }

  async release(era: Era, order: ReleaseOrder): Promise<void> {
    await this.#on(order.name, era, (store, ownEra) => store.release(ownEra, order));
  }

  async mark(era: Era, orders: readonly MarkOrder[]): Promise<void> {
    await this.#each(era, orders, (store, ownEra, order) => store.mark(ownEra, [order]));
  }

  async complete(era: Era, orders: readonly CompleteOrder[]): Promise<void> {
    await this.#each(era, orders, (store, ownEra, order) => store.complete(ownEra, [order]));
  }

  async ping(): Promise<void> {
    await this.#nodes.ping();
  }

  reconnect(): void {
    this.#nodes.look();
  }

  close(): void {
    this.#nodes.close();
  }

  #each<O extends { readonly name: string }, T>(
    era: Era,
    orders: readonly O[],
    ask: (store: RedisStore, ownEra: Era, order: O) => Promise<T>,
  ): Promise<T[]> {
    return Promise.all(
      orders.map((order) => this.#on(order.name, era, (store, ownEra) => ask(store, ownEra, order))),
    );
  }

  /** Asks the master of a record, and, where that has changed, the next one. */
  async #on<T>(name: string, era: Era, ask: (store: RedisStore, ownEra: Era) => Promise<T>): Promise<T> {
    const slot = slotOf(`${this.#keyPrefix}${name}`);
    const store = this.#nodes.masterOf(slot);
    try {
      return await askOne(store, era, ask);
    } catch (error) {
      if (!isRedirect(error)) throw error;
      await this.#nodes.refresh();
      const next = this.#nodes.masterOf(slot);
      if (next === store) throw new RecordAway(`slot ${slot} is being moved: ${String(error)}`);
      return await askOne(next, era, ask);
    }
  }
}

async function askOne<T>(
  store: RedisStore | undefined,
  era: Era,
  ask: (store: RedisStore, ownEra: Era) => Promise<T>,
): Promise<T> {
  if (store === undefined) throw new RecordAway('the master of this record cannot be used');
  return await ask(store, eraIn(store.life, era.slice(eraIn(clusterLife, '').length)));
}

/** The record as those know it who ask the cluster: of its life, where it is of its master's. */
function seenFrom(record: SeenRecord, store: RedisStore): SeenRecord {
  const { era, filled } = record;
  const own = `${store.life}.`;
  return {
    ...record,
    era: era.startsWith(own) ? eraIn(clusterLife, era.slice(own.length)) : era,
    filled: filled && { ...filled, freshUntil: filled.freshUntil - store.now() + performance.now() },
  };
}

function eraIn(life: string | undefined, primary: string): Era {
  return `${life}.${primary}`;
}

/** The node does not have the slot, or not all of it. */
function isRedirect(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK|TRYAGAIN) /.test(error.message);
}
