import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { createRaced } from '../../cache/race.ts';
import { Herd } from '../../cache/stampede.ts';

describe('a thousand readers of one cold value, in four processes', () => {
  let lab: Lab;
  let herd: Herd;

  beforeAll(async () => {
    lab = await startLab({ replicas: 1, redis: true });
    await createRaced(lab);
    await lab.owner().query('INSERT INTO lab.raced VALUES (1, 7), (2, 7), (3, 7)');
    await lab.heal();
    // On a machine that has two cores for all of them an answer of Redis may be read late.
    herd = await Herd.start(lab, { processes: 4, readBudgetMs: 10_000, loadMs: 100 });
  });
  afterAll(async () => {
    await herd?.stop();
    await lab?.stop();
  });

  test.each([
    ['without tags', 1, []],
    ['with tags', 2, ['stampede', 'herd']],
  ])('%s, ask the database once', async (_, id, tags) => {
    const { loads, numbers, status } = await herd.run({ id, tags, readers: 1_000 });
    expect(numbers).toEqual([7]);
    // Who waits for the load of another process for more than a second loads for itself: a process that gets no time
    // for so long may cause a second one.
    expect(loads).toBeGreaterThan(0);
    expect(loads).toBeLessThanOrEqual(2);
    expect(status.map((cache) => cache?.bypassed)).toEqual([0, 0, 0, 0]);
  });

  test('find it there afterwards', async () => {
    await herd.run({ id: 3, tags: [], readers: 4 });
    const before = (await herd.run({ id: 3, tags: [], readers: 4 })).status;
    const { loads, status } = await herd.run({ id: 3, tags: [], readers: 1_000 });
    expect(loads).toBe(0);
    const hits = status.map((cache, index) => (cache?.hits ?? 0) - (before[index]?.hits ?? 0));
    expect(hits).toEqual([250, 250, 250, 250]);
  });
});
