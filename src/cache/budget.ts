/** Nothing came in time. */
export class OverBudget extends Error {
  override readonly name = 'OverBudget';
}

type OnLate = (late: OverBudget) => void;

/** Somebody who waits, between who came before and who came after. */
export class Wait {
  readonly endsAt: number;
  readonly onLate: OnLate;
  before: Wait | undefined;
  after: Wait | undefined;
  isOver = false;

  constructor(endsAt: number, onLate: OnLate, before: Wait | undefined) {
    this.endsAt = endsAt;
    this.onLate = onLate;
    this.before = before;
  }
}

/**
 * Ends waits that have lasted too long. All may last equally long, so that who comes first is late first, and one timer
 * serves all of them: one for each would cost as much as the rest of a hit.
 */
export class Budget {
  readonly #ms: number;
  #first: Wait | undefined;
  #last: Wait | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Calls `onLate` unless the wait is ended in time. What has come while this process was busy is in time. */
  begin(onLate: OnLate): Wait {
    const wait = new Wait(performance.now() + this.#ms, onLate, this.#last);
    if (this.#last === undefined) this.#first = wait;
    else this.#last.after = wait;
    this.#last = wait;
    this.#timer ??= setTimeout(this.#look, this.#ms);
    return wait;
  }

  /** Returns whether it had lasted until now. */
  end(wait: Wait): boolean {
    if (wait.isOver) return false;
    const { before, after } = wait;
    wait.isOver = true;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    if (this.#closed) this.#stopIfIdle();
    return true;
  }

  /** Who waits goes on waiting; after the last one no timer is left. */
  close(): void {
    this.#closed = true;
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#first !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    const now = performance.now();
    const late: Wait[] = [];
    let next = this.#first;
    for (; next !== undefined && next.endsAt <= now; next = next.after) late.push(next);
    // After the sockets have been read.
    if (late.length > 0) setImmediate(() => this.#giveUp(late));
    this.#timer = next === undefined ? undefined : setTimeout(this.#look, Math.ceil(next.endsAt - now));
  };

  #giveUp(late: readonly Wait[]): void {
    for (const wait of late) {
      if (this.end(wait)) wait.onLate(new OverBudget(`no answer within ${this.#ms} ms`));
    }
  }
}
