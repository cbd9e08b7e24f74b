import type { CacheRecord } from '../record.ts';
import { RecordAway, RecordTooLarge, type SeenRecord, StoreRefused } from '../store.ts';
import { BatchedGets } from './batched-gets.ts';
import type { MemcachedConnection } from './memcached-connection.ts';
import { memcachedKeyOf } from './memcached-key.ts';
import { flagOf, type MemcachedReply } from './memcached-replies.ts';
import { readRecord, readWholeRecord, writeRecord } from './record-text.ts';

/**
 * What becomes of a record, and what is told of it; `undefined` leaves it as it is. Done again when somebody else has
 * changed the record in between.
 */
export type Step<T> = (found: CacheRecord | undefined) => readonly [CacheRecord | undefined, T];

interface Change {
  readonly step: Step<unknown>;
  readonly keepMs: number;
  readonly resolve: (told: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A record as it was read: which version of it, and for how many seconds it is kept. */
interface Item {
  readonly version: string;
  readonly leftSeconds: number;
  readonly record: CacheRecord | undefined;
}

/** How often a record may be changed by others between the reading and the writing of it. */
const mostTries = 100;

/** What memcached adds to a key and its value is less. */
const itemHead = 128;

/** What is more would be taken for a date. */
const mostSeconds = 30 * 86_400;

/** The records in one life of a memcached, over one connection to it. */
export class MemcachedRecords {
  readonly #connection: MemcachedConnection;
  readonly #itemBytes: number;
  readonly #gets: BatchedGets<SeenRecord>;
  /** What is to become of records that are being changed. */
  readonly #changes = new Map<string, Change[]>();

  constructor(connection: MemcachedConnection, itemBytes: number) {
    this.#connection = connection;
    this.#itemBytes = itemBytes;
    this.#gets = new BatchedGets(async (names) => {
      const replies = await connection.ask(names.map((name) => `mg ${memcachedKeyOf(name)} v`));
      return replies.map(({ value }) => value && readRecord(value));
    });
  }

  get(names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    return this.#gets.get(names);
  }

  /**
   * Reads a record, and writes what becomes of it if it is still the same then; else once more. What is to become of one
   * record at the same moment is written together.
   */
  change<T>(name: string, keepMs: number, step: Step<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const change = { step, keepMs, resolve: resolve as (told: unknown) => void, reject };
      const waiting = this.#changes.get(name);
      if (waiting !== undefined) {
        waiting.push(change);
        return;
      }
      this.#changes.set(name, [change]);
      void this.#carryOut(name);
    });
  }

  /** The record counts as unknown afterwards. */
  async drop(name: string): Promise<void> {
    await this.#connection.ask([`md ${memcachedKeyOf(name)}`]);
  }

  /** Never rejects: those who wait are told. */
  async #carryOut(name: string): Promise<void> {
    const waiting = this.#changes.get(name) ?? [];
    // What is refused together may be granted to each of them.
    let together = Number.POSITIVE_INFINITY;
    while (waiting.length > 0) {
      // Not those who come while it is read: what is found may be older than their question.
      const some = waiting.slice(0, together);
      try {
        const told = await this.#tryAll(name, some);
        for (const [index, { resolve }] of some.entries()) resolve(told[index]);
      } catch (error) {
        if (error instanceof StoreRefused && some.length > 1) {
          together = 1;
          continue;
        }
        for (const { reject } of some) reject(error);
      }
      waiting.splice(0, some.length);
    }
    this.#changes.delete(name);
  }

  /** Resolves to what each of them is told. */
  async #tryAll(name: string, changes: readonly Change[]): Promise<readonly unknown[]> {
    const key = memcachedKeyOf(name);
    for (let tries = 0; tries < mostTries; tries += 1) {
      const item = await this.#find(key);
      const [write, told] = applied(changes, item);
      if (write === undefined || (await this.#put(key, item, write))) return told;
    }
    throw new RecordAway('others change this record all the time');
  }

  async #find(key: string): Promise<Item | undefined> {
    const [reply] = await this.#connection.ask([`mg ${key} v c t`]);
    if (reply?.value === undefined) return undefined;
    return {
      version: flagOf(reply, 'c') ?? '',
      leftSeconds: Number(flagOf(reply, 't')),
      record: readWholeRecord(reply.value),
    };
  }

  /** Resolves to whether nobody else has been faster. */
  async #put(key: string, item: Item | undefined, { record, seconds }: Write): Promise<boolean> {
    const text = writeRecord(record);
    if (text.length + key.length + itemHead > this.#itemBytes) {
      throw new RecordTooLarge(`memcached keeps nothing above ${this.#itemBytes} bytes`);
    }
    const how = item === undefined ? 'ME' : `C${item.version}`;
    return isStored(await this.#connection.store(`ms ${key} ${text.length} T${seconds} ${how}`, text));
  }
}

interface Write {
  readonly record: CacheRecord;
  readonly seconds: number;
}

/** What is to be written, if anything, and what each of them is told. */
function applied(
  changes: readonly Change[],
  item: Item | undefined,
): readonly [Write | undefined, readonly unknown[]] {
  let record = item?.record;
  let keepMs = 0;
  const told = changes.map((change) => {
    const [next, answer] = change.step(record);
    if (next !== undefined) {
      record = next;
      keepMs = Math.max(keepMs, change.keepMs);
    }
    return answer;
  });
  const leftSeconds = item?.leftSeconds ?? 0;
  const seconds = Math.max(secondsFor(keepMs), leftSeconds);
  const isSame = record === item?.record && seconds === leftSeconds;
  return [record === undefined || isSame ? undefined : { record, seconds }, told];
}

/** memcached counts seconds, of which the first one has begun. */
function secondsFor(ms: number): number {
  return Math.min(mostSeconds, Math.ceil(ms / 1_000) + 1);
}

/** @throws when it is no answer to a command that stores. */
function isStored({ code, rest }: MemcachedReply): boolean {
  if (code === 'HD') return true;
  // Changed, deleted or made meanwhile.
  if (code === 'EX' || code === 'NF' || code === 'NS') return false;
  throw new Error(`memcached said '${code} ${rest}'`);
}
