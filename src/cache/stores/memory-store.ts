import {
  type CacheRecord,
  completed,
  filled,
  type Moment,
  marked,
  opened,
  released,
  settled,
} from '../record.ts';
import type {
  CacheStore,
  CompleteOrder,
  Era,
  FillOrder,
  MarkOrder,
  Opened,
  OpenOrder,
  ReleaseOrder,
  SeenRecord,
  SettleOrder,
} from '../store.ts';

/** Beyond either the records that were used longest ago are dropped. */
const mostRecords = 10_000;
const mostBytes = 134_217_728;

interface Kept {
  readonly record: CacheRecord;
  readonly until: number;
}

/** Keeps records in this process: nobody else sees them, or invalidates them. */
export class MemoryStore implements CacheStore {
  readonly life = 'memory';
  readonly #records = new Map<string, Kept>();
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  /** Of the values. */
  #bytes = 0;

  constructor(maxRecords = mostRecords, maxBytes = mostBytes) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  now(): number {
    return performance.now();
  }

  async get(_era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    return names.map((name) => {
      const record = this.#find(name);
      return record === undefined ? undefined : seen(record);
    });
  }

  async open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]> {
    const moment = this.#moment(era);
    return orders.map((order) => {
      const [record, told] = opened(this.#find(order.name), order, moment);
      this.#keep(order.name, record, order.keepMs);
      return told;
    });
  }

  async fill(era: Era, order: FillOrder, tags: readonly SettleOrder[]): Promise<boolean> {
    const moment = this.#moment(era);
    for (const tag of tags) this.#keep(tag.name, settled(this.#find(tag.name), tag, moment), 0);
    const record = filled(this.#find(order.name), order, moment);
    this.#keep(order.name, record, order.keepMs);
    return record !== undefined;
  }

  async release(era: Era, order: ReleaseOrder): Promise<void> {
    this.#keep(order.name, released(this.#find(order.name), order, this.#moment(era)), 0);
  }

  async mark(era: Era, orders: readonly MarkOrder[]): Promise<void> {
    const moment = this.#moment(era);
    for (const order of orders) {
      this.#keep(order.name, marked(this.#find(order.name), order, moment), order.keepMs);
    }
  }

  async complete(era: Era, orders: readonly CompleteOrder[]): Promise<void> {
    const moment = this.#moment(era);
    for (const order of orders) {
      this.#keep(order.name, completed(this.#find(order.name), order, moment), order.keepMs);
    }
  }

  async ping(): Promise<void> {}

  reconnect(): void {}

  close(): void {
    this.#records.clear();
    this.#bytes = 0;
  }

  #moment(era: Era): Moment {
    return { era, now: this.now() };
  }

  #find(name: string): CacheRecord | undefined {
    const kept = this.#records.get(name);
    if (kept === undefined) return undefined;
    this.#drop(name);
    if (kept.until <= this.now()) return undefined;
    this.#put(name, kept);
    return kept.record;
  }

  /** At least so long, and never shorter than before. */
  #keep(name: string, record: CacheRecord | undefined, keepMs: number): void {
    if (record === undefined) return;
    const before = this.#records.get(name)?.until ?? 0;
    this.#drop(name);
    this.#put(name, { record, until: Math.max(before, this.now() + keepMs) });
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= this.#maxRecords && this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #put(name: string, kept: Kept): void {
    this.#records.set(name, kept);
    this.#bytes += bytesOf(kept);
  }

  #drop(name: string): void {
    const kept = this.#records.get(name);
    if (kept === undefined) return;
    this.#records.delete(name);
    this.#bytes -= bytesOf(kept);
  }
}

function bytesOf({ record }: Kept): number {
  return record.filled?.payload.length ?? 0;
}

function seen({ era, gen, marks, filled: value }: CacheRecord): SeenRecord {
  return { era, gen, isPending: marks.size > 0, filled: value };
}
