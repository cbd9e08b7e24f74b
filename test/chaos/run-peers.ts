import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneOf, positiveNumber } from './arguments.ts';
import { type ClientName, clients } from './clients/clients.ts';
import { replaceSection } from './doc-section.ts';
import type { Fault } from './fault.ts';
import { type FaultRun, runFault } from './fault-run.ts';
import { summarise } from './fault-table.ts';
import { machineLoad } from './machine-load.ts';
import { type LabKind, openLab } from './open-lab.ts';
import { type PeerResult, peerPatienceMs, renderPeerTable } from './peer-table.ts';
import { peerRates } from './rates.ts';

const { values } = parseArgs({
  options: {
    lab: { type: 'string', default: 'containers' },
    vendor: { type: 'string', default: 'mysql' },
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    /** Part of a fault's name: only such faults. */
    only: { type: 'string', default: '' },
    /** Part of a client's name: only such clients. */
    client: { type: 'string', default: '' },
    /** Puts the table into docs/reliability.md. */
    write: { type: 'boolean', default: false },
  },
});
const kind = oneOf('lab', values.lab, ['containers', 'embedded']);
const vendor = oneOf('vendor', values.vendor, ['mariadb', 'mysql']);
const runs = positiveNumber('runs', values.runs);
const seed = positiveNumber('seed', values.seed);

/** The faults that move the VIP once; in the embedded lab also one after which a client may stay on the wrong server. */
const faultNames: Readonly<Record<LabKind, readonly string[]>> = {
  containers: [
    'mysqld killed (kill -9)',
    'mysqld shut down',
    'mysqld frozen (SIGSTOP)',
    'keepalived stopped',
    'keepalived killed: two owners',
    'link down',
    'packets of 3306 dropped',
  ],
  embedded: [
    'the primary is killed',
    'the primary freezes, and comes back as a standby',
    'the VIP moves by plan',
    'the VIP moves and nobody fences the old primary',
    'packets to the VIP vanish until it moves',
    'the primary turns read-only for a while',
  ],
};
const clientNames = (Object.keys(clients) as ClientName[]).filter(
  (name) => !name.includes('repeating') && name.includes(values.client),
);

await using open = await openLab(kind, { vendor });
const results: PeerResult[] = [];
for (const name of faultNames[kind].filter((each) => each.includes(values.only))) {
  const fault = open.faults.find((each) => each.name === name);
  if (fault === undefined) throw new Error(`the lab has no fault ${name}`);
  for (const client of clientNames) {
    const beganAt = performance.now();
    const result = await measure(fault, client);
    if (result !== undefined) results.push(result);
    const seconds = Math.round((performance.now() - beganAt) / 1_000);
    console.log(
      `${name}: ${client} (${seconds} s)\n${renderPeerTable(result === undefined ? [] : [result])}`,
    );
  }
}
const table = `${open.lab.version}, ${runs} × each, ${machineLoad()}\n\n${renderPeerTable(results)}`;
console.log(`\n${table}`);
if (values.write) {
  if (kind !== 'containers') throw new RangeError('--write is for the container lab');
  const document = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
  writeFileSync(document, replaceSection(readFileSync(document, 'utf8'), `peers-${vendor}`, table));
}

/** A run that fails leaves its cell empty: the others took too long to be thrown away. */
async function measure(fault: Fault, client: ClientName): Promise<PeerResult | undefined> {
  const measured: FaultRun[] = [];
  try {
    for (let run = 0; run < runs; run += 1) {
      measured.push(
        await runFault(fault, {
          lab: open.lab,
          prober: open.prober,
          client,
          workers: 1,
          rates: peerRates,
          seed: seed + run,
          aftermathMs: peerPatienceMs,
          patienceMs: 1_000,
        }),
      );
    }
    return { client, summary: summarise(measured) };
  } catch (error) {
    console.error(`${fault.name}: ${client} was not measured:`, error);
    process.exitCode = 1;
    await open.lab.heal();
    return undefined;
  }
}
