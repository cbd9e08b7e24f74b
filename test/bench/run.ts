import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { startLab } from 'vipsql/testing';
import { type BenchTarget, contenders, pairs } from './contenders.ts';
import type { Round, RoundResult } from './worker.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 9);
const round: Round = { durationMs: Number(process.env.BENCH_MS ?? 1_500), callers: 64, rows: 1_000 };

await using lab = await startLab({ replicas: 1, redis: false });
await lab
  .owner()
  .query(
    'CREATE TABLE lab.product (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, price DECIMAL(10,2) NOT NULL, stock INT NOT NULL)',
  );
const values = Array.from(
  { length: round.rows },
  (_, i) => `(${i + 1}, 'product ${i + 1}', ${i / 7}, ${i % 50})`,
);
await lab.owner().query(`INSERT INTO lab.product VALUES ${values.join(', ')}`);
await lab.heal();

const [replica] = lab.replicas;
if (replica === undefined) throw new Error('the lab has no replica');
const { user, password, database, vip } = lab;
const target: BenchTarget = {
  vip: { host: vip.host, port: vip.port },
  replica: { host: replica.host, port: replica.port },
  user,
  password,
  database,
};

const only = process.env.BENCH_ONLY?.split(';');
const workers = new Map<string, ChildProcess>();
for (const name of Object.keys(contenders).filter((each) => only?.includes(each) !== false)) {
  workers.set(name, fork(new URL('./worker.ts', import.meta.url), [name, JSON.stringify(target)]));
}

const results = new Map<string, RoundResult[]>();
for (const name of workers.keys()) await play(name, { ...round, durationMs: 1_000 });
for (let number = 0; number < rounds; number += 1) {
  for (const name of workers.keys()) {
    const list = results.get(name) ?? [];
    list.push(await play(name, round));
    results.set(name, list);
  }
}
for (const worker of workers.values()) worker.send('close');

console.log(
  `point reads, ${round.callers} callers on 10 connections, ${rounds} rounds of ${round.durationMs} ms, medians\n`,
);
for (const [name, list] of results) {
  const rate = median(list.map(({ reads, durationMs }) => (reads / durationMs) * 1_000));
  const cpu = median(list.map(({ cpuUsPerRead }) => cpuUsPerRead));
  console.log(
    `${name.padEnd(24)} ${rate.toFixed(0).padStart(8)} reads/s ${cpu.toFixed(1).padStart(8)} µs CPU/read`,
  );
}
console.log('');
for (const [ours, theirs] of pairs.filter((pair) => pair.every((name) => results.has(name)))) {
  const rate = ratio(ours, theirs, ({ reads, durationMs }) => reads / durationMs);
  const cpu = ratio(ours, theirs, ({ cpuUsPerRead }) => cpuUsPerRead);
  console.log(`${ours} / ${theirs}: throughput × ${rate.toFixed(2)}, CPU × ${cpu.toFixed(2)}`);
}

async function play(name: string, request: Round): Promise<RoundResult> {
  const worker = workers.get(name);
  if (worker === undefined) throw new Error(`no worker for ${name}`);
  worker.send(request);
  const [result] = (await once(worker, 'message')) as [RoundResult];
  return result;
}

/** The median of the ratios of rounds that were played one after the other. */
function ratio(ours: string, theirs: string, measure: (result: RoundResult) => number): number {
  const theirResults = results.get(theirs) ?? [];
  return median(
    (results.get(ours) ?? []).map((result, i) => measure(result) / measure(theirResults[i] ?? result)),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
