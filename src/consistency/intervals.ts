/** Sequence numbers from the first to the last, both included. */
export type Interval = readonly [first: bigint, last: bigint];

/** Intervals in ascending order, none of which touches another. */
export type Intervals = readonly Interval[];

/** Intervals in any order, brought into order. */
export function normalised(intervals: readonly Interval[]): Intervals {
  const sorted = isAscending(intervals)
    ? intervals
    : [...intervals].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const result: Interval[] = [];
  for (const [first, last] of sorted) {
    const previous = result.at(-1);
    if (previous === undefined || first > previous[1] + 1n) result.push([first, last]);
    else if (last > previous[1]) result[result.length - 1] = [previous[0], last];
  }
  return result;
}

/** What `intervals` have and `others` lack. */
export function without(intervals: Intervals, others: Intervals): Intervals {
  const result: Interval[] = [];
  let index = 0;
  for (const [first, last] of intervals) {
    let start = first;
    for (let other = others[index]; other !== undefined && other[0] <= last; other = others[index]) {
      if (other[0] > start) result.push([start, other[0] - 1n]);
      if (other[1] >= start) start = other[1] + 1n;
      // It may cover a part of the next interval too.
      if (start > last) break;
      index += 1;
    }
    if (start <= last) result.push([start, last]);
  }
  return result;
}

function isAscending(intervals: readonly Interval[]): boolean {
  return intervals.every(([first], index) => index === 0 || first >= (intervals[index - 1]?.[0] ?? 0n));
}
