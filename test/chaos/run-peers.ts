import { parseArgs } from 'node:util';
import { oneOf } from './arguments.ts';
import { type ClientName, clients } from './clients/clients.ts';
import { type FaultRun, runFault } from './fault-run.ts';
import { summarise } from './fault-table.ts';
import { openLab } from './open-lab.ts';
import { type PeerResult, renderPeerTable } from './peer-table.ts';
import { standardRates } from './workload.ts';

const { values } = parseArgs({
  options: {
    vendor: { type: 'string', default: 'mysql' },
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    client: { type: 'string', default: '' },
  },
});

/** The faults that move the VIP, and those after which a client may stay on the wrong server. */
const faults = [
  'the primary is killed',
  'the primary freezes, and comes back as a standby',
  'the VIP moves by plan',
  'the VIP moves and nobody fences the old primary',
  'packets to the VIP vanish until it moves',
  'the primary turns read-only for a while',
];
const names = (Object.keys(clients) as ClientName[]).filter(
  (name) => !name.includes('repeating') && name.includes(values.client),
);

await using open = await openLab('embedded', {
  vendor: oneOf('vendor', values.vendor, ['mariadb', 'mysql']),
});
const results: PeerResult[] = [];
for (const fault of open.faults) {
  if (!faults.includes(fault.name) || !fault.name.includes(values.only)) continue;
  for (const client of names) {
    const runs: FaultRun[] = [];
    for (let run = 0; run < Number(values.runs); run += 1) {
      runs.push(
        await runFault(fault, {
          ...open,
          client,
          workers: 1,
          rates: standardRates,
          seed: Number(values.seed) + run,
          aftermathMs: 15_000,
          patienceMs: 1_000,
        }),
      );
    }
    const summary = summarise(runs);
    results.push({ client, summary });
    console.log(`${fault.name}: ${client}\n${renderPeerTable([{ client, summary }])}`);
  }
}
console.log(`\n${open.lab.version}, ${values.runs} runs\n\n${renderPeerTable(results)}`);
