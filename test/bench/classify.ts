import { classify } from 'vipsql/sql';

const rounds = Number(process.env.BENCH_ROUNDS ?? 60);
const perRound = 300;

/** A statement of some 500 bytes, another one for each number. */
function statement(number: number): string {
  const text =
    'SELECT p.id, p.name, p.price, COALESCE(s.qty, 0) AS qty, c.name AS category, COUNT(*) OVER (PARTITION BY ' +
    'p.category_id) AS n FROM shop.product p JOIN category AS c ON c.id = p.category_id LEFT JOIN (SELECT sku, SUM(qty) ' +
    'AS qty FROM stock WHERE warehouse IN (1, 2, 3) GROUP BY sku) s ON s.sku = p.sku WHERE p.active = 1 AND p.price ' +
    `BETWEEN 10 AND ${number} AND p.name LIKE 'blue%' AND EXISTS (SELECT 1 FROM tag t WHERE t.product_id = p.id AND ` +
    "t.name = 'hot') ORDER BY p.price DESC, p.id LIMIT 20 OFFSET 40";
  return Buffer.from(text).toString(); // one flat string, as it comes from a source file or a socket
}

let number = 100_000;
const fresh: number[] = [];
const cached: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const texts = Array.from({ length: perRound }, () => statement(number++));
  fresh.push(timeOf(texts));
  cached.push(timeOf(texts));
}

console.log(
  `classify, ${statement(number).length} bytes, ${rounds} rounds of ${perRound} statements, µs each\n`,
);
report('new', fresh.slice(rounds / 4));
report('cached', cached.slice(rounds / 4));

function timeOf(texts: readonly string[]): number {
  const began = performance.now();
  for (const text of texts) classify(text);
  return ((performance.now() - began) / texts.length) * 1_000;
}

function report(name: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(2);
  console.log(`${name.padEnd(8)} best ${at(0)}  median ${at(0.5)}  p90 ${at(0.9)}`);
}
