import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { measureReconnect } from './reconnect.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '600' },
    vendor: { type: 'string', default: 'mariadb' },
    runs: { type: 'string', default: '3' },
  },
});
const vendor = values.vendor === 'mysql' ? 'mysql' : 'mariadb';
const clients = Number(values.clients);
for (let run = 0; run < Number(values.runs); run += 1) {
  const times = await measureReconnect({ vendor, clients, processes: 4 });
  const at = (share: number): string =>
    `${Math.round(times[Math.ceil(times.length * share) - 1] ?? Number.NaN)} ms`;
  console.log(
    `${vendor}, ${times.length} clients with TLS, ${availableParallelism()} cores: half back after ${at(0.5)}, 99 % ${at(0.99)}, all ${at(1)}`,
  );
}
