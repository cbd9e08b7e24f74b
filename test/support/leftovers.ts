import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';

/** What keeps a process alive: sockets, listeners, child processes and timers that were not unref'd. */
const watched = /^(TCP|Pipe|Process|Timeout|TLS|UDP)/;

/** Goodbyes may take half a second, and a dial that lost its race ends with its own limit. */
const graceMs = 3_000;

function active(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (watched.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

const pauseMs = 50;

let before: ReadonlyMap<string, number>;

beforeAll(() => {
  // The runner keeps pipes to its parent. Its timers come and go within the grace, so that none is owed to it.
  before = new Map([...active(), ['Timeout', 0]]);
});

// Registered first, so it runs after the hooks of the test file itself.
afterAll(async () => {
  const end = performance.now() + graceMs;
  let left = leftovers();
  while (left.length > 0 && performance.now() < end) {
    await pause();
    left = leftovers();
  }
  expect(left, 'left behind by this test file').toEqual([]);
});

/** Does not count itself. */
async function pause(): Promise<void> {
  await sleep(pauseMs, undefined, { ref: false });
  await nextTurn();
}

function leftovers(): string[] {
  return [...active()]
    .filter(([name, count]) => count > (before.get(name) ?? 0))
    .map(([name, count]) => `${name} × ${count - (before.get(name) ?? 0)}`);
}
