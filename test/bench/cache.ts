import { Redis } from 'ioredis';
import { createCluster } from 'vipsql';
import { startLab } from 'vipsql/testing';
import { type BenchTarget, type Contender, contenders, type Row, statement } from './cache-contenders.ts';

/** Hits of the cache in Redis, beside what Redis itself takes; all in this process, one after the other. */
const rounds = Number(process.env.BENCH_ROUNDS ?? 10);
const roundMs = Number(process.env.BENCH_MS ?? 500);
const callers = Number(process.env.BENCH_CALLERS ?? 64);
const only = process.env.BENCH_ONLY?.split(';');
const shelves = 100;

interface Round {
  readonly reads: number;
  readonly ms: number;
  /** User and system time of this process. */
  readonly cpuMs: number;
}

interface Playing {
  readonly name: string;
  readonly contender: Contender;
  readonly results: Round[];
}

await using lab = await startLab({ replicas: 1 });
const { redisUrl = '' } = lab;

const names = Object.keys(contenders).filter((name, index) => index < 2 || only?.includes(name) !== false);
for (const rowsPerShelf of [1, 50]) {
  await fillTable(rowsPerShelf);
  await compare(rowsPerShelf);
}

async function fillTable(rowsPerShelf: number): Promise<void> {
  await lab.owner().query('DROP TABLE IF EXISTS lab.product');
  await lab
    .owner()
    .query(
      'CREATE TABLE lab.product (id INT PRIMARY KEY, shelf INT NOT NULL, sku VARCHAR(20) NOT NULL, name VARCHAR(60) NOT NULL, price DECIMAL(10,2) NOT NULL, made_at DATETIME(3) NOT NULL, note VARCHAR(120) NOT NULL, KEY (shelf))',
    );
  const rows = Array.from({ length: shelves * rowsPerShelf }, (_, id) => {
    const note = 'what the shop says about it, in a line or two'.repeat(2);
    return `(${id}, ${id % shelves}, 'SKU-${id}', 'green tea, loose, number ${id}', ${id / 7}, '2026-01-02 03:04:05.678', '${note}')`;
  });
  await lab.owner().query(`INSERT INTO lab.product VALUES ${rows.join(', ')}`);
  await lab.heal();
}

async function compare(rowsPerShelf: number): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.flushall();
  const db = createCluster(lab.config());
  const load = (shelf: number): Promise<Row[]> => db.primary<Row>().query(statement, [shelf]);
  const target: BenchTarget = { config: lab.config(), redisUrl, redis, load };
  const expected = JSON.stringify(await load(7));
  const playing: Playing[] = [];
  for (const name of names) {
    const contender = await contenders[name]?.(target, shelves);
    if (contender === undefined) continue;
    const got = JSON.stringify(await contender.read(7));
    // One of them sorts columns.
    if (got.length !== expected.length) throw new Error(`${name} gave ${got}`);
    playing.push({ name, contender, results: [] });
  }
  for (const { contender } of playing) await play(contender);
  for (let round = 0; round < rounds; round += 1) {
    // There and back again: who comes later is not always the same.
    const order = round % 2 === 0 ? playing : playing.toReversed();
    for (const { contender, results } of order) results.push(await play(contender));
  }
  for (const { contender } of playing) await contender.close();
  await db.close();
  redis.disconnect();
  print(rowsPerShelf, playing);
}

function print(rowsPerShelf: number, playing: readonly Playing[]): void {
  const size = rowsPerShelf === 1 ? '1 row of about 200 bytes' : `${rowsPerShelf} rows`;
  console.log(
    `\n${size}, ${callers} callers, ${rounds} rounds of ${roundMs} ms, medians; × beside the first two\n`,
  );
  console.log('                                   reads/s        ×        ×   µs CPU        ×        ×');
  const [bytes, json] = playing;
  for (const { name, results } of playing) {
    const columns = [perSecond, cpuUs].flatMap((measure) => [
      median(results.map(measure)).toFixed(measure === cpuUs ? 1 : 0),
      ...[bytes, json].map((other) => ratio(results, other?.results, measure)),
    ]);
    console.log(`${name.padEnd(33)} ${columns.map((column) => column.padStart(8)).join(' ')}`);
  }
}

/** The median of the ratios of rounds that were played in the same pass. */
function ratio(
  ours: readonly Round[],
  others: readonly Round[] = [],
  measure: (round: Round) => number,
): string {
  return median(ours.map((round, pass) => measure(round) / measure(others[pass] ?? round))).toFixed(2);
}

function perSecond({ reads, ms }: Round): number {
  return (reads / ms) * 1_000;
}

function cpuUs({ cpuMs, reads }: Round): number {
  return (cpuMs / reads) * 1_000;
}

async function play(contender: Contender): Promise<Round> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const end = startedAt + roundMs;
  let reads = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      reads += 1;
      await contender.read(reads % shelves);
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  const { user, system } = process.cpuUsage(cpu);
  return { reads, ms: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
