/** A read showed less than what had been invalidated before it began. */
export interface Violation {
  readonly counter: number;
  readonly expected: number;
  readonly found: number;
  readonly process: number;
}

/** Knows of each counter the value of the last invalidation that was completed. */
export class Observer {
  readonly #everywhere = new Map<number, number>();
  readonly #inProcess = new Map<string, number>();

  /** A write is over, and its invalidation too: for everybody, or for one process where it was not delivered. */
  invalidated(counter: number, value: number, onlyIn: number | undefined): void {
    if (onlyIn === undefined) raise(this.#everywhere, counter, value);
    else raise(this.#inProcess, `${counter} ${onlyIn}`, value);
  }

  /** What a read that begins now has to show at least. */
  least(counter: number, process: number): number {
    return Math.max(this.#everywhere.get(counter) ?? 0, this.#inProcess.get(`${counter} ${process}`) ?? 0);
  }
}

function raise<K>(map: Map<K, number>, key: K, value: number): void {
  if (value > (map.get(key) ?? 0)) map.set(key, value);
}
