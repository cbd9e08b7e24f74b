import type { Floor } from '../consistency/floor.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { Fence } from './fence.ts';
import type { Era, Filled, Opened } from './store.ts';

/** What a load has brought. */
export interface Loaded<T> {
  readonly value: T;
  /** The primary lacks a part of what had to be seen, after it was waited for. */
  readonly isLost: boolean;
  /** It was read where all that had to be seen was known to be. */
  readonly isProven: boolean;
}

/** A value that may be cached, and how to get it otherwise. */
export interface CachedRead<T> {
  readonly key: string;
  readonly tags: readonly string[];
  /** Tables that it follows, as `TableTags` names them. */
  readonly tables: readonly string[];
  /** Which value it is: another one under the same key is not served. */
  readonly what: string;
  readonly ttlMs: number;
  /** For a value that is nothing, as {@link isNothing} says. */
  readonly negativeTtlMs: number;
  /** How long it may be served once it has expired, while it is loaded again. */
  readonly staleMs: number;
  readonly isNothing: (value: T) => boolean;
  /** The least that the answer must have seen. */
  readonly floor: Floor;
  readonly deadline: Deadline;
  /** Gets the value from where it has seen `floor`. */
  readonly load: (floor: Floor, deadline: Deadline) => Promise<Loaded<T>>;
}

/** One read on its way. */
export interface Trip {
  readonly request: CachedRead<unknown>;
  readonly era: Era;
  /** The records of the key and of its tags. */
  readonly names: readonly string[];
}

/** A load that has ended, for whoever waited for it. */
export interface Landed {
  readonly value: unknown;
  /** For each of the others a value of its own; `undefined` when that cannot be made. */
  readonly packed: Buffer | undefined;
  readonly proven: Fence;
}

/** A value that is served, of which this is known. */
export interface Hit extends Landed {
  readonly filled: Omit<Filled, 'payload'>;
}

/** One from a record. */
export interface StoredHit extends Hit {
  readonly packed: Buffer;
}

/** A load, before it begins. */
export interface Load {
  readonly trip: Trip;
  readonly opened: readonly Opened[];
  readonly lease: string;
}

export function gensOf(opened: readonly Opened[]): readonly string[] {
  return opened.map(({ gen }) => gen);
}
