import { connect } from 'node:net';
import { createConnection } from 'mysql2';
import { accounts } from '../../src/testing/accounts.ts';

/** What one login found; sent to the parent process as it is. */
export interface Probe {
  readonly begunAt: number;
  readonly at: number;
  readonly state: 'writable' | 'read-only' | 'silent' | 'refused' | 'error';
  readonly serverId?: number;
  readonly code?: string;
}

const everyMs = 20;
const limitMs = 1_000;
const question = 'SELECT @@GLOBAL.server_id AS serverId, @@GLOBAL.read_only AS readOnly';

const [host = '', port = '', ...addresses] = process.argv.slice(2);

/** With fractions: on the same clock as `Date.now()`, but never backwards. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function probe(localAddress: string): Promise<Probe> {
  return new Promise((resolve) => {
    const begunAt = now();
    const stream = connect({ host, port: Number(port), localAddress });
    const connection = createConnection({ ...accounts.application, stream, connectTimeout: limitMs });
    const finish = (found: Omit<Probe, 'begunAt' | 'at'>): void => {
      clearTimeout(timer);
      resolve({ begunAt, at: now(), ...found });
    };
    const timer = setTimeout(() => {
      finish({ state: 'silent' });
      connection.destroy();
    }, limitMs);
    const fail = (error: NodeJS.ErrnoException): void => {
      finish({
        state: error.code === 'ECONNREFUSED' ? 'refused' : 'error',
        code: error.code ?? error.message,
      });
      connection.destroy();
    };
    stream.on('error', fail);
    connection.on('error', fail);
    connection.query<never>(question, (error: NodeJS.ErrnoException | null, rows: unknown) => {
      if (error !== null) return fail(error);
      const [row] = rows as { serverId: number; readOnly: number }[];
      finish({
        state: row?.readOnly === 0 ? 'writable' : 'read-only',
        ...(row === undefined ? {} : { serverId: row.serverId }),
      });
      connection.end();
    });
  });
}

let turn = 0;
// Each address may break off a hundred greetings of a frozen server before that server bans it.
const timer = setInterval(() => {
  const address = addresses[turn % addresses.length] ?? '';
  turn += 1;
  // The parent may have gone away meanwhile.
  void probe(address).then((found) => process.send?.(found, undefined, {}, () => {}));
}, everyMs);

process.on('disconnect', () => {
  clearInterval(timer);
  process.exit(0);
});
process.send?.('ready');
