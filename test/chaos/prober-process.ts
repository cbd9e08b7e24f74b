import { connect } from 'node:net';
import { createConnection, type RowDataPacket } from 'mysql2';
import { nowMs } from './clock.ts';
import type { ProberSetup, Sighting } from './prober.ts';

const intervalMs = 20;
/** A login without an answer for so long says "silent"; a server that was only slow may yet greet it. */
const silentAfterMs = 500;
const giveUpAfterMs = 5_000;

const { vip, from, user, password, masters } = JSON.parse(process.argv[2] ?? '') as ProberSetup;

let last: Sighting | undefined;

process.on('disconnect', () => process.exit());
setInterval(() => void look(), intervalMs);

async function look(): Promise<void> {
  const begunAt = nowMs();
  const silence = setTimeout(() => note({ begunAt, at: nowMs(), state: 'silent' }), silentAfterMs);
  const found = await login();
  clearTimeout(silence);
  note({ begunAt, at: nowMs(), ...found });
}

/** Answers of logins that were begun before the last one that counted tell of the past. */
function note(sighting: Sighting): void {
  if (last !== undefined && sighting.begunAt < last.begunAt) return;
  const isNews = sighting.state !== last?.state || sighting.server !== last.server;
  last = sighting;
  if (isNews) process.send?.(sighting);
}

function login(): Promise<Pick<Sighting, 'state' | 'server' | 'code'>> {
  return new Promise((resolve) => {
    const connection = createConnection({
      user,
      password,
      connectTimeout: 60_000,
      stream: () => connect({ ...vip, ...(from === undefined ? {} : { localAddress: from }) }),
    });
    const failed = (error: NodeJS.ErrnoException): void => {
      clearTimeout(limit);
      const state = error.code === 'ECONNREFUSED' ? 'refused' : 'error';
      resolve({ state, code: error.code ?? error.message });
      connection.destroy();
    };
    const limit = setTimeout(() => failed(new Error('no answer')), giveUpAfterMs);
    connection.on('error', failed);
    connection.query<RowDataPacket[]>(
      'SELECT @@server_id AS id, @@global.read_only AS readOnly',
      (error, rows) => {
        if (error) return failed(error);
        clearTimeout(limit);
        const [row] = rows;
        const server = masters[Number(row?.id)];
        const state = Number(row?.readOnly) === 0 ? 'writable' : 'read-only';
        resolve(server === undefined ? { state } : { state, server });
        connection.end(() => {});
      },
    );
  });
}
