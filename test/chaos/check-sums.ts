import { isInDoubt, type Operation } from './history.ts';
import type { ServerRows } from './tables.ts';

/** A counter or a balance that is not what its operations make it. */
export interface Drift {
  readonly name: string;
  readonly is: number;
  readonly atLeast: number;
  readonly atMost: number;
}

/**
 * Counters and balances that do not add up. A row that a returning server changed late replaces the whole row, so
 * where an operation on it is in doubt only the upper bound of a counter holds, and of a balance none.
 */
export function checkSums(writes: readonly Operation[], primary: ServerRows): Drift[] {
  return [...counterDrift(writes, primary), ...balanceDrift(writes, primary)];
}

function counterDrift(writes: readonly Operation[], { counters }: ServerRows): Drift[] {
  const drifts: Drift[] = [];
  for (const [name, is] of counters) {
    const own = writes.filter(({ kind, touches }) => kind === 'counter' && touches.includes(name));
    const acknowledged = own.filter(({ ending }) => ending.state === 'acknowledged').length;
    const doubtful = own.filter(isInDoubt).length;
    const bounds = { atLeast: doubtful > 0 ? 0 : acknowledged, atMost: acknowledged + doubtful };
    if (is < bounds.atLeast || is > bounds.atMost) drifts.push({ name: `counter ${name}`, is, ...bounds });
  }
  return drifts;
}

function balanceDrift(writes: readonly Operation[], { balances, legs }: ServerRows): Drift[] {
  const sums = new Map<string, number>();
  for (const { account, amount } of legs) {
    sums.set(String(account), (sums.get(String(account)) ?? 0) + amount);
  }
  const doubtful = new Set(
    writes
      .filter(({ kind }) => kind !== 'counter')
      .filter(isInDoubt)
      .flatMap(({ touches }) => touches),
  );
  return [...balances]
    .filter(([account, is]) => !doubtful.has(account) && is !== (sums.get(account) ?? 0))
    .map(([account, is]) => {
      const sum = sums.get(account) ?? 0;
      return { name: `account ${account}`, is, atLeast: sum, atMost: sum };
    });
}
