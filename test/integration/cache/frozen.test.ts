import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { createRows, freezeUnderLoad } from '../../cache/frozen.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 1, redis: true });
  for (const statement of createRows) await lab.owner().query(statement);
  await lab.heal();
});
afterAll(() => lab?.stop());

/** `npm run check:cache-frozen` has the figures. */
test('reads under load go on while Redis is frozen, and use it again by themselves', async () => {
  const { database, frozen, again } = await freezeUnderLoad(lab, { rate: 100, seconds: 3 });
  expect([database.errors, frozen.errors, again.errors]).toEqual([0, 0, 0]);
  expect(frozen.p99Ms).toBeLessThan(database.p99Ms + 1_000);
});
