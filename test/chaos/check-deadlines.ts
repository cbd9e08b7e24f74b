import type { Operation, Stall } from './history.ts';

/** Operations that ended later than they may, the time taken off in which their process could not run at all. */
export function overDeadline(
  operations: readonly Operation[],
  stalls: readonly Stall[],
  toleranceMs: number,
): Operation[] {
  return operations.filter((operation) => {
    const { startedAt, endedAt, deadlineMs } = operation;
    if (deadlineMs === undefined) return false;
    const lateMs = endedAt - startedAt - deadlineMs - toleranceMs;
    return lateMs > 0 && lateMs > stalledMs(operation, stalls);
  });
}

function stalledMs({ worker, startedAt, endedAt }: Operation, stalls: readonly Stall[]): number {
  let sum = 0;
  for (const stall of stalls) {
    if (stall.worker !== worker) continue;
    sum += Math.max(0, Math.min(stall.to, endedAt) - Math.max(stall.from, startedAt));
  }
  return sum;
}
