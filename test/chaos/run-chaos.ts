import { parseArgs } from 'node:util';
import { startLab } from '../../src/testing/index.ts';
import { runChaos } from './chaos.ts';
import { type ClientName, clients } from './clients/clients.ts';
import { embeddedEpisodes } from './embedded-episodes.ts';
import { ProberProcess } from './prober.ts';
import { isClean, renderReport } from './report.ts';
import { standardRates } from './workload.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    vendor: { type: 'string' },
    workers: { type: 'string', default: '2' },
    /** INSERTs per second and worker; everything else keeps its rate. */
    writes: { type: 'string', default: String(standardRates.events) },
    client: { type: 'string', default: 'vipsql' },
    /** Part of a fault's name: only such faults. */
    only: { type: 'string', default: '' },
  },
});
const vendor = oneOf('vendor', values.vendor, ['mariadb', 'mysql'] as const);
const client = oneOf('client', values.client, Object.keys(clients) as ClientName[]) ?? 'vipsql';
const seed = number('seed', values.seed);
const durationMs = number('minutes', values.minutes) * 60_000;
const episodes = embeddedEpisodes.filter(({ name }) => name.includes(values.only));

await using lab = await startLab(vendor === undefined ? {} : { vendor });
const prober = await ProberProcess.start(lab);
console.log(
  `chaos on ${lab.version} for ${values.minutes} min, seed ${seed}, ${values.workers} × ${client} with ${values.writes} INSERTs/s`,
);
const beganAt = performance.now();
const result = await runChaos({
  lab,
  prober,
  client,
  workers: number('workers', values.workers),
  rates: { ...standardRates, events: number('writes', values.writes) },
  seed,
  durationMs,
  episodes,
  onEpisode: (count, name) => {
    console.log(`${Math.round((performance.now() - beganAt) / 1_000)} s  ${count}. ${name}`);
  },
});
await prober.stop();
console.log(`\n${renderReport(result)}`);
if (!isClean(result.verdict)) process.exitCode = 1;

function number(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a number above 0, not ${text}`);
}

function oneOf<T extends string>(name: string, text: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((value) => value === text);
  if (text === undefined || found !== undefined) return found;
  throw new RangeError(`--${name} must be ${known.join(' or ')}, not ${text}`);
}
