import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../src/testing/index.ts';

/** A number in the database, and where a load of it stands still. */
export interface Subject {
  readonly id: number;
  readonly key: string;
  readonly tag: string;
  /** Passed by a load between what it reads and what it returns. */
  readonly hold: () => Promise<void>;
}

/** One way of reading a number through a cache, and of invalidating it. */
export interface RaceCache {
  read(subject: Subject): Promise<number>;
  /** Resolves when the invalidation is over. */
  invalidate(subject: Subject): Promise<unknown>;
  close(): Promise<unknown>;
}

/** What the numbers are read with. */
export const selectNumber = 'SELECT n FROM raced WHERE id = ?';

/** What reads have shown that began after the invalidation: while the old load was under way, and when it was over. */
export interface RaceResult {
  readonly meanwhile: number;
  readonly later: number;
}

/** The old value is 1, the new one 2. */
export async function createRaced(lab: Lab): Promise<void> {
  await lab.owner().query('CREATE TABLE lab.raced (id INT PRIMARY KEY, n INT NOT NULL)');
  await lab.heal();
}

/** A load has read the old value and is slow; the new one is committed and invalidated; what do the next reads show? */
export async function race(lab: Lab, cache: RaceCache, id: number): Promise<RaceResult> {
  await lab.owner().query('INSERT INTO lab.raced VALUES (?, 1)', [id]);
  await lab.heal();
  const [reached, opened] = [signal(), signal()];
  const subject = { id, key: `raced:${id}`, tag: `all:${id}` };
  const held = async (): Promise<void> => {
    reached.fire();
    await opened.fired;
  };
  const early = cache.read({ ...subject, hold: held });
  await reached.fired;
  await lab.owner().query('UPDATE lab.raced SET n = 2 WHERE id = ?', [id]);
  await cache.invalidate({ ...subject, hold: nothing });
  const meanwhile = cache.read({ ...subject, hold: nothing });
  // Whoever has joined the old load gets nothing before it goes on.
  await Promise.race([meanwhile, sleep(500)]);
  opened.fire();
  await early;
  const first = await meanwhile;
  await sleep(100);
  return { meanwhile: first, later: await cache.read({ ...subject, hold: nothing }) };
}

async function nothing(): Promise<void> {}

function signal(): { readonly fired: Promise<void>; fire(): void } {
  let fire = (): void => {};
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}
