import { parseArgs } from 'node:util';
import { oneOf, positiveNumber } from './arguments.ts';
import { runChaos } from './chaos.ts';
import { type ClientName, clients } from './clients/clients.ts';
import { openLab } from './open-lab.ts';
import { standardRates } from './rates.ts';
import { isClean, renderReport } from './report.ts';

const { values } = parseArgs({
  options: {
    lab: { type: 'string', default: 'embedded' },
    vendor: { type: 'string', default: 'mariadb' },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '2' },
    /** INSERTs per second and worker; everything else keeps its rate. */
    writes: { type: 'string', default: String(standardRates.events) },
    client: { type: 'string', default: 'vipsql' },
    /** Part of a fault's name: only such faults. */
    only: { type: 'string', default: '' },
  },
});
const kind = oneOf('lab', values.lab, ['embedded', 'containers']);
const vendor = oneOf('vendor', values.vendor, ['mariadb', 'mysql']);
const client = oneOf('client', values.client, Object.keys(clients) as ClientName[]);

await using open = await openLab(kind, { vendor });
const { lab, prober } = open;
console.log(
  `chaos on ${lab.version} (${kind}) for ${values.minutes} min, seed ${values.seed}, ` +
    `${values.workers} × ${client} with ${values.writes} INSERTs/s`,
);
const beganAt = performance.now();
const result = await runChaos({
  lab,
  prober,
  client,
  workers: positiveNumber('workers', values.workers),
  rates: { ...standardRates, events: positiveNumber('writes', values.writes) },
  seed: positiveNumber('seed', values.seed),
  durationMs: positiveNumber('minutes', values.minutes) * 60_000,
  faults: open.faults.filter(({ name }) => name.includes(values.only)),
  onFault: (count, name) => {
    console.log(`${Math.round((performance.now() - beganAt) / 1_000)} s  ${count}. ${name}`);
  },
});
console.log(`\n${renderReport(result)}`);
if (!isClean(result.verdict)) process.exitCode = 1;
