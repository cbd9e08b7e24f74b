import type { Effects } from './effects.ts';
import type { Operation } from './history.ts';

/** An operation, or a key with all of its operations, that was executed more than once. */
export interface Repetition {
  readonly id: string;
  readonly times: number;
}

/** What a single server executed more than once; operations with the same key count as one. */
export function executedTwice(operations: readonly Operation[], servers: readonly Effects[]): Repetition[] {
  const groups = new Map<string, string[]>();
  for (const { id, key = id } of operations) groups.set(key, [...(groups.get(key) ?? []), id]);
  const timesOn = (server: Effects, ids: readonly string[]): number =>
    ids.reduce((sum, id) => sum + server.times(id), 0);
  return [...groups]
    .map(([id, ids]) => ({ id, times: Math.max(...servers.map((server) => timesOn(server, ids))) }))
    .filter(({ times }) => times > 1);
}

/**
 * Operations that were told that another one had done the transaction of their key, although the primary has neither
 * that key nor that one's rows, or that one had another key.
 */
export function falselyDone(
  operations: readonly Operation[],
  primary: Effects,
  keys: ReadonlySet<string>,
): Operation[] {
  const keyOf = new Map(operations.map(({ id, key }) => [id, key]));
  return operations.filter(({ id, key = '', ending }) => {
    if (ending.state !== 'acknowledged' || ending.doneBy === undefined) return false;
    const { doneBy } = ending;
    return doneBy === id || keyOf.get(doneBy) !== key || primary.times(doneBy) === 0 || !keys.has(key);
  });
}
