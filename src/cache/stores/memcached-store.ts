import type { MemcachedPlace } from '../../config/memcached-target.ts';
import { completed, filled, type Moment, marked, opened, released, settled } from '../record.ts';
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
  type StoreListener,
  StoreRefused,
} from '../store.ts';
import { MemcachedClient } from './memcached-client.ts';
import { clockMarginMs } from './memcached-clock.ts';
import type { MemcachedRecords } from './memcached-records.ts';

/**
 * Keeps records in one memcached: each is read, changed here, and written if nobody else has changed it meanwhile. What
 * memcached has dropped is unknown.
 */
export class MemcachedStore implements CacheStore {
  readonly #client: MemcachedClient;

  constructor(place: MemcachedPlace, listener: StoreListener) {
    this.#client = new MemcachedClient(place, listener);
  }

  get life(): string | undefined {
    return this.#client.life;
  }

  now(): number {
    return this.#client.now();
  }

  async get(era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    return this.#recordsOf(era).get(names);
  }

  async open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]> {
    const records = this.#recordsOf(era);
    return await Promise.all(
      orders.map((order) =>
        records.change(order.name, order.keepMs, (found) => opened(found, order, this.#moment(era))),
      ),
    );
  }

  async fill(era: Era, order: FillOrder, tags: readonly SettleOrder[]): Promise<boolean> {
    const records = this.#recordsOf(era);
    const [isFilled] = await Promise.all([
      records.change(order.name, order.keepMs, (found) => {
        const record = filled(found, order, this.#moment(era));
        return [record, record !== undefined];
      }),
      ...tags.map((tag) =>
        records.change(tag.name, 0, (found) => [settled(found, tag, this.#moment(era)), undefined]),
      ),
    ]);
    return isFilled;
  }

  async release(era: Era, order: ReleaseOrder): Promise<void> {
    await this.#recordsOf(era).change(order.name, 0, (found) => [
      released(found, order, this.#moment(era)),
      undefined,
    ]);
  }

  async mark(era: Era, orders: readonly MarkOrder[]): Promise<void> {
    const records = this.#recordsOf(era);
    await Promise.all(
      orders.map((order) => {
        const lasting = { ...order, ms: order.ms + clockMarginMs };
        return records.change(order.name, order.keepMs + clockMarginMs, (found) => [
          marked(found, lasting, this.#moment(era)),
          undefined,
        ]);
      }),
    );
  }

  async complete(era: Era, orders: readonly CompleteOrder[]): Promise<void> {
    const records = this.#recordsOf(era);
    await Promise.all(orders.map((order) => this.#complete(records, era, order)));
  }

  async ping(): Promise<void> {
    await this.#client.look();
  }

  reconnect(): void {
    this.#client.reconnect();
  }

  close(): void {
    this.#client.close();
  }

  /** Where there is no room for the record it is deleted: then it is unknown, which is as good an invalidation. */
  async #complete(records: MemcachedRecords, era: Era, order: CompleteOrder): Promise<void> {
    try {
      await records.change(order.name, order.keepMs, (found) => [
        completed(found, order, this.#moment(era)),
        undefined,
      ]);
    } catch (error) {
      if (!(error instanceof StoreRefused) || error instanceof RecordAway) throw error;
      await records.drop(order.name);
    }
  }

  #moment(era: Era): Moment {
    return { era, now: Math.floor(this.now()) };
  }

  /** Those of the connection that is there now: what was read over it is never written over the next one. */
  #recordsOf(era: Era): MemcachedRecords {
    const { records, life } = this.#client;
    if (records === undefined) throw new Error('memcached is not connected');
    if (!era.startsWith(`${life}.`)) throw new Error('memcached has begun another life');
    return records;
  }
}
