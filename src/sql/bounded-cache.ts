/**
 * A map that forgets what has not been asked for lately, and holds between `max` and 2 × `max` entries when full.
 *
 * Two generations instead of an order per entry, so that a hit on a fresh entry costs one look-up and no write.
 */
export class BoundedCache<V> {
  readonly #max: number;
  #fresh = new Map<string, V>();
  #stale = new Map<string, V>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): V | undefined {
    const hit = this.#fresh.get(key);
    if (hit !== undefined) return hit;
    const old = this.#stale.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#fresh.size >= this.#max) {
      this.#stale = this.#fresh;
      this.#fresh = new Map();
    }
    this.#fresh.set(key, value);
  }

  /** How many entries are held, one that is in both generations counted twice. */
  get size(): number {
    return this.#fresh.size + this.#stale.size;
  }
}
