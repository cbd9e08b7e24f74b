import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, type VipsqlError } from 'vipsql';
import { type Lab, startLab } from 'vipsql/testing';

/**
 * The VIP moves while the old master lives, and the relay lets its old connections fall silent: no FIN, no RST.
 * Measured from the moment at which the new owner answers at the VIP and is writable.
 */
interface Run {
  /** Until the first acknowledged write. */
  readonly firstWriteMs: number;
  /** Until a query that had been waiting on the old primary ended, retried or failed. */
  readonly waitingQueryMs: number;
}

const runs = Number(process.env.BENCH_ROUNDS ?? 10);

await using lab = await startLab({ replicas: 0, redis: false });
await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)');

const results: Run[] = [];
for (let number = 0; number < runs; number += 1) {
  results.push(await measure(lab, number % 2 === 0));
  await lab.heal();
}
print(
  'first write',
  results.map(({ firstWriteMs }) => firstWriteMs),
);
print(
  'waiting query',
  results.map(({ waitingQueryMs }) => waitingQueryMs),
);

/** `busy`: other statements run meanwhile; otherwise nothing but the waiting query tells that something is wrong. */
async function measure(on: Lab, busy: boolean): Promise<Run> {
  await using db = createCluster(on.config());
  await db.ready();
  let stop = false;
  const load = (async () => {
    while (busy && !stop) {
      await db.primary().query('SELECT 1', [], { idempotent: true });
      await sleep(5);
    }
  })();
  const sleeper = db.primary().query('SELECT SLEEP(30)');
  const ended = sleeper.then(
    () => performance.now(),
    (error: VipsqlError) => {
      if (error.outcome !== 'unknown') throw error;
      return performance.now();
    },
  );
  await sleep(200 + Math.random() * 500);
  await on.fault({ kind: 'move-vip', oldConnections: 'silent', readOnlyMs: 0 });
  const movedAt = performance.now();
  await db.primary().execute('INSERT INTO t (n) VALUES (1)', [], { idempotent: true });
  const firstWriteMs = performance.now() - movedAt;
  const waitingQueryMs = (await ended) - movedAt;
  stop = true;
  await load;
  return { firstWriteMs, waitingQueryMs };
}

function print(what: string, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b).map((value) => Math.round(value));
  const median = sorted[Math.floor(sorted.length / 2)];
  console.log(`${what.padEnd(14)} median ${median} ms, worst ${sorted.at(-1)} ms, all ${sorted.join(' ')}`);
}
