interface Moment {
  readonly at: number;
  readonly text: string;
}

/** What happened when; shown as it happens, and at the end relative to the moment that all is about. */
export class Timeline {
  readonly #startedAt = performance.now();
  readonly #moments: Moment[] = [];

  /** Notes and shows what happens now; gives the time. */
  mark(text: string): number {
    const at = performance.now();
    this.add(text, at);
    console.log(`${seconds(at - this.#startedAt).padStart(7)}  ${text}`);
    return at;
  }

  /** Notes what turns out to have happened at a time of `performance.now()`. */
  add(text: string, at: number): void {
    this.#moments.push({ at, text });
  }

  /** The moments in order, from `fromMs` before `zero` on. */
  linesAround(zero: number, fromMs: number): string[] {
    return this.#moments
      .filter(({ at }) => at >= zero - fromMs)
      .sort((a, b) => a.at - b.at)
      .map(({ at, text }) => `t=${signed(at - zero)}  ${text}`);
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function signed(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${seconds(Math.abs(ms))}`.padStart(8);
}
