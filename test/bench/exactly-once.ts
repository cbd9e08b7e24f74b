import { createCluster, type Transaction } from 'vipsql';
import { startLab } from 'vipsql/testing';

/** What `exactlyOnce` costs: one row more per transaction, beside the same transactions without it. */
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const roundMs = Number(process.env.BENCH_MS ?? 2_000);
const callers = Number(process.env.BENCH_CALLERS ?? 8);
const vendor = process.env.VIPSQL_BENCH_VENDOR === 'mysql' ? 'mysql' : 'mariadb';
const semiSync = process.env.BENCH_SEMI_SYNC !== 'off';

type Kind = 'plain' | 'true' | 'key';

interface Round {
  readonly perSecond: number;
  readonly medianMs: number;
}

await using lab = await startLab({ vendor, replicas: 0, redis: false, semiSync });
await lab.owner().query('CREATE TABLE lab.orders (id CHAR(36) PRIMARY KEY, sku VARCHAR(20) NOT NULL)');
await lab.owner().query('CREATE TABLE lab.stock (sku INT PRIMARY KEY, qty INT NOT NULL)');
await lab
  .owner()
  .query(`INSERT INTO lab.stock VALUES ${Array.from({ length: 1_000 }, (_, i) => `(${i}, 1000000)`).join()}`);
await using db = createCluster(lab.config());
await db.createLedger();

const kinds: readonly Kind[] = ['plain', 'true', 'key'];
const results = new Map<Kind, Round[]>(kinds.map((kind) => [kind, []]));
for (const kind of kinds) await play(kind);
for (let number = 0; number < rounds; number += 1) {
  for (const kind of kinds) results.get(kind)?.push(await play(kind));
}

console.log(
  `${vendor}, semi-sync ${semiSync ? 'on' : 'off'}: transactions of two statements, ${callers} callers, ${rounds} interleaved rounds of ${roundMs} ms, medians\n`,
);
for (const kind of kinds) {
  const list = results.get(kind) ?? [];
  const plain = results.get('plain') ?? [];
  const ratio = median(list.map(({ perSecond }, i) => perSecond / (plain[i]?.perSecond ?? perSecond)));
  const latency = median(list.map(({ medianMs }) => medianMs));
  console.log(
    `${kind.padEnd(6)} ${median(list.map(({ perSecond }) => perSecond))
      .toFixed(0)
      .padStart(7)} /s (× ${ratio.toFixed(2)})  median ${latency.toFixed(2)} ms`,
  );
}

async function play(kind: Kind): Promise<Round> {
  const latencies: number[] = [];
  const end = performance.now() + roundMs;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      const began = performance.now();
      await order(kind);
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  return { perSecond: (latencies.length / roundMs) * 1_000, medianMs: median(latencies) };
}

async function order(kind: Kind): Promise<void> {
  const id = crypto.randomUUID();
  const sku = Math.floor(Math.random() * 1_000);
  const place = async (tx: Transaction): Promise<void> => {
    await tx.execute('UPDATE stock SET qty = qty - 1 WHERE sku = ?', [sku]);
    await tx.execute('INSERT INTO orders VALUES (?, ?)', [id, sku]);
  };
  if (kind === 'key') await db.transaction(place, { exactlyOnce: { key: id } });
  else await db.transaction(place, { exactlyOnce: kind === 'true' });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
