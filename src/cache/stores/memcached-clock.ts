/** How much later than `performance.now()` the clock of a server is, in milliseconds: something in between. */
export interface ClockBounds {
  readonly least: number;
  readonly most: number;
}

/** A second that a server has named, asked for and answered by `performance.now()`. */
export interface NamedSecond {
  readonly second: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** memcached looks at its clock once in a second, and a little later each time: what it names may be two seconds old. */
const oldestSecondMs = 2_000;

/** What is less exact than this is not believed. */
const widestMs = 3_000;

/**
 * The clocks of two processes, each in the middle of its bounds, differ by so much at most. What must not end early by
 * anybody's clock lasts so much longer.
 */
export const clockMarginMs = widestMs;

/** `undefined`: the answer took too long to tell. */
export function boundsOf({ second, askedAt, answeredAt }: NamedSecond): ClockBounds | undefined {
  const bounds = {
    least: second * 1_000 - answeredAt,
    most: second * 1_000 + oldestSecondMs - askedAt,
  };
  return bounds.most - bounds.least > widestMs ? undefined : bounds;
}

/** What two looks at a clock tell together; the later one alone where they contradict each other: a clock has been set. */
export function narrowed(known: ClockBounds | undefined, seen: ClockBounds): ClockBounds {
  if (known === undefined) return seen;
  const both = { least: Math.max(known.least, seen.least), most: Math.min(known.most, seen.most) };
  return both.least > both.most ? seen : both;
}

export function offsetIn({ least, most }: ClockBounds): number {
  return (least + most) / 2;
}
