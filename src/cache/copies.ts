import type { Hit, StoredHit, Trip } from './cached-value.ts';
import { copyOf } from './exact-values.ts';
import type { Era } from './store.ts';

/** A value that was served from the store, as this process keeps it for a moment. */
export interface Copy {
  readonly era: Era;
  readonly what: string;
  /** The records that it was judged by. */
  readonly names: readonly string[];
  /** Nobody else's: callers are given copies of it. */
  readonly value: unknown;
  readonly filled: Hit['filled'];
  /** What it takes, about. */
  readonly bytes: number;
  /** By `performance.now()`. */
  readonly endsAt: number;
}

/** The moment when a value was asked for. */
export interface Asked {
  readonly at: number;
  readonly round: number;
}

/** What a copy takes besides its value, in bytes; about. */
const overheadBytes = 500;

/** How much larger a value is than when it is packed; about. */
const unpackedFactor = 2;

/**
 * Copies of values in this process. Each is served for `copyMs` from the moment when the store was asked for it, and
 * invalidations wait for that. All live equally long: the oldest is the next to end, so that no order of use is kept.
 */
export class Copies {
  readonly copyMs: number;
  readonly #maxBytes: number;
  readonly #copies = new Map<string, Copy>();
  #bytes = 0;
  #round = 0;

  constructor(copyMs: number, maxBytes: number) {
    this.copyMs = copyMs;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#copies.size;
  }

  /** Rises when all copies are dropped. */
  get round(): number {
    return this.#round;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The copy of what is read, unless its time is over. */
  find({ era, request, names }: Trip): Copy | undefined {
    const copy = this.#copies.get(names[0] ?? '');
    if (copy === undefined || copy.endsAt <= performance.now()) return undefined;
    const isIt = copy.era === era && copy.what === request.what && isSame(copy.names, names);
    return isIt ? copy : undefined;
  }

  /** Keeps what the store was asked for at that time and in that round. */
  take({ era, request, names }: Trip, { filled, packed, value }: StoredHit, asked: Asked): void {
    const [name = ''] = names;
    if (asked.round !== this.#round) return;
    this.#drop(name);
    const bytes = packed.length * unpackedFactor + overheadBytes;
    if (bytes > this.#maxBytes) return;
    const { by, proof, proven, freshUntil, loadMs } = filled;
    this.#copies.set(name, {
      era,
      what: request.what,
      names,
      value: copyOf(value),
      // Without the payload, which would keep the bytes in which it came.
      filled: { by, proof, proven, freshUntil, loadMs },
      bytes,
      endsAt: asked.at + this.copyMs,
    });
    this.#bytes += bytes;
    this.#makeRoom();
  }

  clear(): void {
    this.#copies.clear();
    this.#bytes = 0;
    this.#round += 1;
  }

  #makeRoom(): void {
    const now = performance.now();
    for (const [name, { endsAt }] of this.#copies) {
      if (endsAt > now && this.#bytes <= this.#maxBytes) return;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    const copy = this.#copies.get(name);
    if (copy === undefined) return;
    this.#copies.delete(name);
    this.#bytes -= copy.bytes;
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return a.length === b.length;
}
