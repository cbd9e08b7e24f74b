/** One row per counter; counters only ever rise. */
export type Counters = ReadonlyMap<number, number>;

export interface Violation {
  readonly kind: 'read-your-writes' | 'monotonic-reads';
  readonly counter: number;
  readonly expected: number;
  readonly found: number;
  readonly server: string;
}

/** What one session may expect: every counter at least where it has seen it, or has put it. */
export class Observer {
  readonly #seen = new Map<number, number>();
  readonly #written = new Map<number, number>();

  /** A write was acknowledged. */
  wrote(counter: number, value: number): void {
    raise(this.#written, counter, value);
  }

  /** What may be expected of a read that begins now. */
  expectation(): (found: Counters, server: string) => Violation[] {
    const seen = new Map(this.#seen);
    const written = new Map(this.#written);
    return (found, server) => {
      for (const [counter, value] of found) raise(this.#seen, counter, value);
      return [
        ...missing('read-your-writes', written, found, server),
        ...missing('monotonic-reads', seen, found, server),
      ];
    };
  }
}

function missing(kind: Violation['kind'], least: Counters, found: Counters, server: string): Violation[] {
  return [...least].flatMap(([counter, expected]) => {
    const value = found.get(counter) ?? 0;
    return value >= expected ? [] : [{ kind, counter, expected, found: value, server }];
  });
}

function raise(map: Map<number, number>, counter: number, value: number): void {
  if (value > (map.get(counter) ?? 0)) map.set(counter, value);
}
