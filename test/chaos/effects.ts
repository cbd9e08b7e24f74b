import type { ServerRows } from './tables.ts';

/** How often a server shows each operation to have been executed. */
export class Effects {
  readonly server: string;
  readonly #events = new Map<string, number>();
  /** How often each of the two legs is there. */
  readonly #legs = new Map<string, [first: number, second: number]>();

  constructor({ server, events, legs }: ServerRows) {
    this.server = server;
    for (const { id } of events) this.#events.set(id, (this.#events.get(id) ?? 0) + 1);
    for (const { id, leg } of legs) {
      const counts = this.#legs.get(id) ?? [0, 0];
      counts[leg === 1 ? 0 : 1] += 1;
      this.#legs.set(id, counts);
    }
  }

  /** For a transaction: how often the more frequent of its rows is there. */
  times(id: string): number {
    return this.#events.get(id) ?? Math.max(...(this.#legs.get(id) ?? [0]));
  }

  /** Transactions whose two rows are not there equally often. */
  torn(): string[] {
    return [...this.#legs].filter(([, [first, second]]) => first !== second).map(([id]) => id);
  }

  *ids(): Iterable<string> {
    yield* this.#events.keys();
    yield* this.#legs.keys();
  }

  /** Operations that the two show another number of times. */
  differencesFrom(other: Effects): string[] {
    const all = new Set([...this.ids(), ...other.ids()]);
    return [...all].filter((id) => this.times(id) !== other.times(id));
  }
}
