import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneOf, positiveNumber } from './arguments.ts';
import { replaceSection } from './doc-section.ts';
import { markdownTable } from './fault-table.ts';
import { machineLoad } from './machine-load.ts';
import { measureReconnect, type Returned } from './reconnect.ts';

const { values } = parseArgs({
  options: {
    clusters: { type: 'string', default: '60' },
    connections: { type: 'string', default: '10' },
    processes: { type: 'string', default: '4' },
    vendor: { type: 'string', default: 'mariadb' },
    runs: { type: 'string', default: '3' },
    /** Puts the table into docs/reliability.md. */
    write: { type: 'boolean', default: false },
  },
});
const vendor = oneOf('vendor', values.vendor, ['mariadb', 'mysql']);
const clusters = positiveNumber('clusters', values.clusters);
const connections = positiveNumber('connections', values.connections);
const processes = positiveNumber('processes', values.processes);
if (clusters % processes !== 0) throw new Error('--clusters has to be a multiple of --processes.');

const rows: string[][] = [];
for (let run = 0; run < positiveNumber('runs', values.runs); run += 1) {
  const returned = await measureReconnect({ vendor, clusters, connections, processes, limitMs: 60_000 });
  const row = [String(clusters), String(connections), ...cells(returned), machineLoad()];
  console.log(`${vendor}: ${row.join(', ')}`);
  for (const trouble of new Set(returned.troubles)) console.log(`  ${trouble}`);
  rows.push(row);
}
const head = [
  'clusters',
  'connections of each',
  'half back',
  '99 % back',
  'all back',
  'refused',
  'unfinished logins',
  'logins in all',
  'errors',
  'machine',
];
const table = markdownTable(head, rows);
console.log(`\n${table}`);
if (values.write) {
  const document = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
  writeFileSync(document, replaceSection(readFileSync(document, 'utf8'), `reconnect-${vendor}`, table));
}

function cells({ timesMs, missing, troubles, refusedLogins, unfinishedLogins, logins }: Returned): string[] {
  const after = (share: number): string => {
    const time = timesMs[Math.ceil(clusters * connections * share) - 1];
    return time === undefined ? `not within 60 s (${missing} missing)` : `${Math.round(time)} ms`;
  };
  const counts = [refusedLogins, unfinishedLogins, logins, troubles.length];
  return [after(0.5), after(0.99), after(1), ...counts.map(String)];
}
