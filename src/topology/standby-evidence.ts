import type { Position } from '../consistency/position.ts';

/** What a look at a master that is not the primary says about it. */
export interface StandbyLook {
  /** By `performance.now()`. */
  readonly askedAt: number;
  readonly writable: boolean;
  /** The transactions that it began itself, so far; `undefined` where that cannot be told. */
  readonly own: Position | undefined;
}

export interface StandbyFindings {
  /** It accepts writes; told once until it no longer does. */
  readonly writable: boolean;
  /** What it wrote while another server was the primary. */
  readonly wrote: Position | undefined;
}

/** Growth has to be seen so many times in a row: one administrative statement is no second writer. */
const growthsInARow = 2;

/**
 * What may be said against one master that is not the primary, look by look. A look alone proves nothing: the VIP may
 * have moved to that very master without our knowing. So each suspicion waits until the VIP has led to the primary on
 * a connection that was opened after the look. Pure.
 */
export class StandbyEvidence {
  #own: Position | undefined;
  #growths: { readonly askedAt: number; readonly grown: Position }[] = [];
  #writableAt: number | undefined;
  #toldWritable = false;
  #wrote: { readonly askedAt: number; readonly grown: Position } | undefined;

  /** What was seen so far does not count: the primary has changed or was interrupted, or this is another server. */
  reset(): void {
    this.#own = undefined;
    this.#growths = [];
    this.#writableAt = undefined;
    this.#wrote = undefined;
  }

  /** It is the primary, whose part it is to accept writes. */
  isPrimary(): void {
    this.reset();
    this.#toldWritable = false;
  }

  /** Takes note of a look. Returns whether a look at the VIP is wanted. */
  look({ askedAt, writable, own }: StandbyLook): boolean {
    if (!writable) {
      this.#toldWritable = false;
      this.#writableAt = undefined;
    } else if (!this.#toldWritable) {
      this.#writableAt ??= askedAt;
    }
    this.#noteGrowth(askedAt, own);
    return this.#writableAt !== undefined || this.#growths.length > 0 || this.#wrote !== undefined;
  }

  /** The VIP leads to the primary, by a connection that was opened at `openedAt`. */
  vipAnswered(openedAt: number): StandbyFindings {
    const writable = this.#writableAt !== undefined && this.#writableAt < openedAt;
    const wrote = this.#wrote !== undefined && this.#wrote.askedAt < openedAt ? this.#wrote.grown : undefined;
    if (writable) {
      this.#toldWritable = true;
      this.#writableAt = undefined;
    }
    if (wrote !== undefined) this.#wrote = undefined;
    return { writable, wrote };
  }

  #noteGrowth(askedAt: number, own: Position | undefined): void {
    const before = this.#own;
    this.#own = own;
    const grown = before === undefined ? undefined : own?.subtract(before);
    if (grown === undefined || grown.isEmpty) {
      this.#growths = [];
      return;
    }
    this.#growths = [...this.#growths, { askedAt, grown }].slice(-growthsInARow);
    if (this.#growths.length < growthsInARow) return;
    const all = this.#growths.map((growth) => growth.grown).reduce((sum, each) => sum.union(each));
    this.#wrote = { askedAt, grown: this.#wrote?.grown.union(all) ?? all };
  }
}
