import { parseArgs } from 'node:util';
import { startLab } from '../../src/testing/index.ts';
import { createRows, freezeUnderLoad, type Latencies } from './frozen.ts';

/** `npm run check:cache-frozen -- [--rate 500] [--seconds 10]`: cached reads while Redis is frozen. */
const { values } = parseArgs({
  options: { rate: { type: 'string', default: '500' }, seconds: { type: 'string', default: '10' } },
});
const options = { rate: Number(values.rate), seconds: Number(values.seconds) };

await using lab = await startLab({ redis: true, replicas: 2, onProgress: () => {} });
for (const statement of createRows) await lab.owner().query(statement);
await lab.heal();
const { database, cached, frozen, again, recoveredMs } = await freezeUnderLoad(lab, options);
console.log('| reads | number | errors | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|---|');
report('of the database, no cache', database);
report('cached', cached);
report('cached, Redis frozen', frozen);
report('cached, after the thaw', again);
const isKept = frozen.errors === 0 && frozen.p99Ms <= database.p99Ms + 50;
console.log(
  `\nback ${Math.round(recoveredMs)} ms after the thaw; p99 within 50 ms of the database's: ${isKept}`,
);
process.exitCode = isKept ? 0 : 1;

function report(name: string, { reads, errors, p50Ms, p99Ms, maxMs }: Latencies): void {
  const figures = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1));
  console.log(`| ${[name, reads, errors, ...figures].join(' | ')} |`);
}
