import { expect } from 'vitest';
import type { Cluster, Outcome } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { eventually, sleep } from './cluster.ts';
import { vipsqlErrorIn } from './wrapped-errors.ts';

export interface LoadWrites {
  /** Writes one row with that id. */
  single(id: string): Promise<unknown>;
  /** Writes two rows with that id, in one transaction. */
  both(id: string): Promise<unknown>;
}

/** How each write has ended, by its id: `'done'`, or what it rejected with. */
export type LoadEnds = ReadonlyMap<string, unknown>;

const outcomes: readonly Outcome[] = ['not-executed', 'statement-rolled-back', 'rolled-back', 'unknown'];

/** Lets six writers write while the primary dies and another takes over, and a while longer. */
export async function writeOverFailover(
  lab: Lab,
  db: Cluster,
  { single, both }: LoadWrites,
): Promise<LoadEnds> {
  const ends = new Map<string, unknown>();
  let stop = false;
  const writer = async (name: string, write: (id: string) => Promise<unknown>): Promise<void> => {
    for (let i = 0; !stop; i += 1) {
      const id = `${name}-${i}`;
      const end = await write(id).then(
        () => 'done',
        (error: unknown) => error,
      );
      ends.set(id, end);
      await sleep(5);
    }
  };
  const writers = [0, 1, 2].flatMap((n) => [writer(`single-${n}`, single), writer(`both-${n}`, both)]);
  await eventually('some rows', () => ends.size > 30);
  const { epoch: first = 0 } = db.status().primary;
  await lab.fault({ kind: 'kill', server: lab.owner().name });
  await lab.fault({ kind: 'failover', gapMs: 500, readOnlyMs: 100 });
  await eventually('the next epoch', () => db.status().primary.epoch === first + 1);
  const before = ends.size;
  await eventually('more rows', () => ends.size > before + 30);
  stop = true;
  await Promise.all(writers);
  return ends;
}

/** Compares how the writes have ended with the rows in `table`: what is told as done is there once, and whole. */
export async function expectToldTrue(lab: Lab, table: string, ends: LoadEnds): Promise<void> {
  const found = await lab.owner().query(`SELECT id, COUNT(*) AS n FROM ${table} GROUP BY id`);
  const counts = new Map(found.map(({ id, n }) => [String(id), Number(n)]));
  for (const [id, end] of ends) {
    const whole = id.startsWith('both') ? 2 : 1;
    if (end === 'done') {
      expect([id, counts.get(id)]).toEqual([id, whole]);
      continue;
    }
    const { outcome, code } = vipsqlErrorIn(end);
    expect(outcomes).toContain(outcome);
    const mayBe = code === 'VIPSQL_IN_DOUBT' ? [0, whole] : [0];
    expect([id, mayBe.includes(counts.get(id) ?? 0)]).toEqual([id, true]);
  }
  expect([...counts.keys()].filter((id) => !ends.has(id))).toEqual([]);
}
