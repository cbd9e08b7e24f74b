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
  const playing: [string, Contender, number[]][] = [];
  for (const name of names) {
    const contender = await contenders[name]?.(target, shelves);
    if (contender === undefined) continue;
    const got = JSON.stringify(await contender.read(7));
    if (got !== expected) throw new Error(`${name} gave ${got}`);
    playing.push([name, contender, []]);
  }
  for (const [, contender] of playing) await play(contender);
  for (let round = 0; round < rounds; round += 1) {
    for (const [, contender, rates] of playing) rates.push(await play(contender));
    // There and back again: who comes later is not always the same.
    playing.reverse();
  }
  if (rounds % 2 === 1) playing.reverse();
  for (const [, contender] of playing) await contender.close();
  await db.close();
  redis.disconnect();
  print(rowsPerShelf, playing);
}

function print(rowsPerShelf: number, playing: readonly [string, Contender, readonly number[]][]): void {
  const size = rowsPerShelf === 1 ? '1 row of about 200 bytes' : `${rowsPerShelf} rows`;
  console.log(`\n${size}, ${callers} callers, ${rounds} rounds of ${roundMs} ms, medians\n`);
  console.log(`${'| reads/s'.padEnd(46)} × msgpackr   × JSON`);
  const [bytes, json] = playing;
  for (const [name, , rates] of playing) {
    const rate = median(rates).toFixed(0).padStart(8);
    console.log(`${name.padEnd(32)} ${rate} ${ratio(rates, bytes?.[2])}     ${ratio(rates, json?.[2])}`);
  }
}

function ratio(rates: readonly number[], others: readonly number[] = []): string {
  return median(rates.map((rate, round) => rate / (others[round] ?? rate)))
    .toFixed(2)
    .padStart(10);
}

/** Reads per second. */
async function play(contender: Contender): Promise<number> {
  const startedAt = performance.now();
  const end = startedAt + roundMs;
  let reads = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      await contender.read(reads % shelves);
      reads += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  return (reads / (performance.now() - startedAt)) * 1_000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
