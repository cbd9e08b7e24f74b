import type { Fence } from './fence.ts';

/**
 * What records are valid in: one life of the store and one primary. A record of another era says nothing. It begins
 * with the `life` of the store and a dot.
 */
export type Era = string;

/** A value as it was stored. */
export interface Filled {
  /** The lease under which it was stored: no two fills have the same. */
  readonly by: string;
  /** Which value it is, and the generations of its tags before it was loaded. */
  readonly proof: string;
  /** What the value is known to have seen. */
  readonly proven: Fence;
  /** By the clock of the store. */
  readonly freshUntil: number;
  /** How long it took to load, in whole milliseconds. */
  readonly loadMs: number;
  readonly payload: Buffer;
}

/** What a reader sees of a record: of an entry, or of a tag, which is never filled. */
export interface SeenRecord {
  readonly era: Era;
  /** Another one after each invalidation, and whenever the record was made anew. */
  readonly gen: string;
  /** Somebody is about to commit a change, or was and has not been heard of since. */
  readonly isPending: boolean;
  readonly filled: Filled | undefined;
}

/** Opens a record for a load. Identifiers are made by the caller, at random. */
export interface OpenOrder {
  readonly name: string;
  /** The generation, should it have to be made anew. */
  readonly gen: string;
  /**
   * Asks for the right to fill it; `undefined` for a tag. What stands before the dot in its id says what for: a lease
   * that somebody else holds for something else is of no use any more, and ends.
   */
  readonly lease: { readonly id: string; readonly ms: number; readonly seenFill: string } | undefined;
  /** The record is kept at least so long. */
  readonly keepMs: number;
}

export interface Opened {
  readonly gen: string;
  readonly fence: Fence;
  readonly isPending: boolean;
  /**
   * - `granted`: the caller may fill it, until somebody invalidates it.
   * - `held`: somebody else may, for `heldMs` more.
   * - `filled`: somebody has filled it since the caller looked; no lease was taken.
   * - `none`: none was asked for, or an invalidation is pending.
   */
  readonly lease: 'granted' | 'held' | 'filled' | 'none';
  readonly heldMs: number;
}

export interface FillOrder {
  readonly name: string;
  readonly lease: string;
  /** Takes the place of an unknown fence. */
  readonly fence: Fence | undefined;
  readonly proof: string;
  readonly proven: Fence;
  readonly payload: Buffer;
  readonly loadMs: number;
  readonly ttlMs: number;
  readonly keepMs: number;
}

/** Gives a lease back that was of no use; a value that is there stays. */
export interface ReleaseOrder {
  readonly name: string;
  readonly lease: string;
}

/** Gives a tag with an unknown fence a known one, if it is still of that generation. */
export interface SettleOrder {
  readonly name: string;
  readonly gen: string;
  readonly fence: Fence;
}

/** Says that an invalidation is coming: drops value and lease, and lets nobody fill the record until it is completed. */
export interface MarkOrder {
  readonly name: string;
  readonly id: string;
  readonly gen: string;
  /** After this the fence is unknown, if the mark was not completed before. */
  readonly ms: number;
  readonly keepMs: number;
}

/** Ends a mark, or invalidates without one: drops value and lease. */
export interface CompleteOrder {
  readonly name: string;
  /** Empty without a mark. */
  readonly id: string;
  readonly gen: string;
  /** What the invalidation asks for; `undefined` takes the mark back: nothing was changed. */
  readonly fence: Fence | undefined;
  readonly keepMs: number;
}

/**
 * Keeps records and changes each of them in one step. A record that is not there is unknown: it may have been evicted,
 * or have held anything. Methods with an era reject when the store has begun another life, and with whatever keeps
 * the store from answering; an order may have been carried out all the same.
 */
export interface CacheStore {
  /** Changes when the store may have lost or regained data; `undefined` while it cannot be reached. */
  readonly life: string | undefined;
  /** The store's own clock, in milliseconds. */
  now(): number;
  /** The records of those names, in one round trip. */
  get(era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]>;
  open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]>;
  /** Resolves to whether the lease still held. */
  fill(era: Era, order: FillOrder, settled: readonly SettleOrder[]): Promise<boolean>;
  /** Does nothing where the lease is another one by now. */
  release(era: Era, order: ReleaseOrder): Promise<void>;
  mark(era: Era, orders: readonly MarkOrder[]): Promise<void>;
  complete(era: Era, orders: readonly CompleteOrder[]): Promise<void>;
  /** Resolves when it answers. */
  ping(): Promise<void>;
  /** Gives up its connection for a new one. */
  reconnect(): void;
  close(): void;
}

/** The store has answered that it does not do what it was asked, such as for want of memory. */
export class StoreRefused extends Error {
  override readonly name: string = 'StoreRefused';
}

/** The store knows nothing of a record at present, and says so at once; others are not concerned. */
export class RecordAway extends StoreRefused {
  override readonly name = 'RecordAway';
}

/** The store keeps nothing that is so large. */
export class RecordTooLarge extends StoreRefused {
  override readonly name = 'RecordTooLarge';
}

/** Told how a store is connected. Must not throw. */
export interface StoreListener {
  onUp(): void;
  onDown(reason: string): void;
}
